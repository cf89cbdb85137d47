import { z } from 'zod';
import { wholeNumber } from '../option-types.js';

/** The live progress of uploads and jobs. */
export const progress = z
  .strictObject({
    streams: wholeNumber(0)
      .default(1_000)
      .describe('Clients that each gateway shows it to at once, as server-sent events.'),
    streamsPerCaller: wholeNumber(0).default(10).describe('How many of these may be of one user.'),
  })
  .prefault({});
