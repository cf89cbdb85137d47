import { z } from 'zod';
import { flag, wholeNumber } from '../option-types.js';

/** The audit trail: who changed what, and who was refused. */
export const audit = z
  .strictObject({
    events: flag().default(true).describe('Publish audit records on the bus, as `audit.recorded` events.'),
    log: flag().default(true).describe("Write audit records to the registry's log."),
    deniedWindowMs: wholeNumber(100, 600_000)
      .default(5_000)
      .describe(
        'Refused attempts are gathered for this long, in milliseconds; the same one again within it is counted, not written again.',
      ),
    deniedMaxPerWindow: wholeNumber(1, 10_000)
      .default(100)
      .describe(
        'Records of refused attempts that one registry writes in that time; more become one that counts them.',
      ),
  })
  .prefault({});
