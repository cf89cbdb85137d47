import { z } from 'zod';
import { flag, wholeNumber } from '../option-types.js';

const DAY_MS = 86_400_000;

/** How the stores are compared with the database: see docs/reconcile.md. */
export const reconcile = z
  .strictObject({
    enabled: flag()
      .default(true)
      .describe('Compare each store with the database from time to time, and say what differs.'),
    intervalMs: wholeNumber(1000)
      .default(DAY_MS)
      .describe('How often that is done of its own accord, in milliseconds.'),
    repair: flag()
      .default(false)
      .describe(
        'Set data aside that belongs to no image when it is done of its own accord: see docs/reconcile.md before.',
      ),
    graceMs: wholeNumber(0)
      .default(DAY_MS)
      .describe(
        'Data that belongs to no image is left alone for this long after it was written and after it was first seen, in milliseconds.',
      ),
    quarantineMs: wholeNumber(0)
      .default(7 * DAY_MS)
      .describe('What was set aside is kept for this long before it is removed, in milliseconds.'),
    soleOwner: flag()
      .default(false)
      .describe(
        'Nobody else keeps images in the stores: then data of images that the database never knew is set aside too.',
      ),
  })
  .prefault({});
