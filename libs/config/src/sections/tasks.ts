import { z } from 'zod';
import { wholeNumber } from '../option-types.js';

/** The record of what is done in the background. */
export const tasks = z
  .strictObject({
    timeToLiveHours: wholeNumber(0)
      .default(48)
      .describe('How long a task that has ended stays listed, in hours.'),
  })
  .prefault({});
