import { z } from 'zod';
import { byteSize, flag, wholeNumber } from '../option-types.js';

/** Reading stored data again, to see whether it is still what it was. */
export const verification = z
  .strictObject({
    intervalDays: wholeNumber(0, 36_500)
      .default(30)
      .describe('Every copy of every image is read again within this many days; 0 for on request only.'),
    bytesPerSecond: byteSize()
      .default(33_554_432)
      .describe(
        'What verification reads in a second at most, of all store-workers together; may have a unit (32MB); 0 for any amount.',
      ),
    concurrency: wholeNumber(1, 64)
      .default(1)
      .describe('Copies that are read at once, by all store-workers together.'),
    recordMissingHashes: z
      .enum(['never', 'on_request', 'always'])
      .default('on_request')
      .describe(
        'Whether an image without a hash gets one of the data that is there: never, when its verification is asked for, or at every verification.',
      ),
    repair: flag()
      .default(true)
      .describe('Put a good copy from another store in the place of a damaged one.'),
  })
  .prefault({});
