import { z } from 'zod';
import { wholeNumber, words } from '../option-types.js';

const limit = (what: string) =>
  z
    .strictObject({
      perMinute: wholeNumber(0).default(0).describe(`${what} a minute; 0 for any number.`),
      burst: wholeNumber(0)
        .default(0)
        .describe('How many of them may come at once; 0: as many as a minute allows.'),
    })
    .prefault({});

/** How many requests each gateway takes. */
export const rateLimits = z
  .strictObject({
    reads: limit('Requests of one project that look at metadata'),
    changes: limit('Requests of one project that change metadata'),
    data: limit('Uploads and downloads of one project'),
    unauthenticated: limit('Requests of one address without an identity'),
    exemptRoles: words()
      .default(['admin', 'service'])
      .describe('Roles whose callers are not limited: operators, and services such as Nova.'),
  })
  .prefault({});
