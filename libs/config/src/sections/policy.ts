import { z } from 'zod';
import { words } from '../option-types.js';

/** The operator's rules on who may do what. */
export const policy = z
  .strictObject({
    file: z
      .string()
      .min(1)
      .optional()
      .describe(
        "YAML file with the rules that replace default ones, in oslo.policy's language (docs/policy.md). Read at the start and at SIGHUP.",
      ),
    dirs: words()
      .default([])
      .describe('Directories with more such files, read after policy.file in the order of their names.'),
  })
  .prefault({});
