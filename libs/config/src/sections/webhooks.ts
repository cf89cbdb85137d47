import { z } from 'zod';
import { flag, wholeNumber, wholeNumbers, words } from '../option-types.js';
import { uriLists } from './uri-lists.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Bytes of a key that secrets are encrypted with. */
const KEY_BYTES = 32;
const isKey = (text: string) =>
  /^[A-Za-z0-9+/]+={0,2}$/.test(text) && Buffer.from(text, 'base64').length === KEY_BYTES;

/** Webhooks: what projects are told of their images, over HTTP. See docs/webhooks.md. */
export const webhooks = z
  .strictObject({
    enabled: flag()
      .default(true)
      .describe('Let projects have webhooks; without it nothing is sent and the calls for them are refused.'),
    ...uriLists({ schemes: ['https'], ports: [80, 443], use: 'sent to' }),
    maxPerProject: wholeNumber(1, 1_000).default(10).describe('Webhooks of a project.'),
    maxUrlLength: wholeNumber(20, 8_192).default(2_048).describe('Characters of a URL.'),
    maxEventTypes: wholeNumber(1, 100)
      .default(32)
      .describe('Types, or patterns of them, that a webhook names.'),
    maxWaiting: wholeNumber(1)
      .default(10_000)
      .describe(
        'A webhook with more messages than this that wait is disabled; what other projects brought about does not count.',
      ),
    maxWaitingForeign: wholeNumber(1)
      .default(100)
      .describe(
        'Messages that wait for a webhook on what one other project did (it shares images, or answers to that); it is not told of more.',
      ),
    secretKeys: words()
      .refine((keys) => keys.every(isKey), { error: 'must be keys of 32 bytes each, in base64' })
      .default([])
      .describe(
        'Keys, 32 bytes in base64, that secrets are encrypted with in the database: by the first, while the others still open what they closed. Without one they are stored as they are.',
      ),
    rotationOverlapMs: wholeNumber(0, 30 * DAY_MS)
      .default(DAY_MS)
      .describe(
        'How long messages are signed with the old secret too after it was replaced, unless the request says, in milliseconds.',
      ),
    connectTimeoutMs: wholeNumber(100, 60_000)
      .default(5_000)
      .describe('How long a connection may take, in milliseconds.'),
    timeoutMs: wholeNumber(100, 120_000)
      .default(15_000)
      .describe('How long one attempt may take altogether, in milliseconds.'),
    retrySeconds: wholeNumbers(0, 7 * 24 * HOUR)
      .default([5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR])
      .describe(
        'Pauses before the second attempt and those after it, in seconds; behind the last a message has failed. A fifth is added or taken away at random.',
      ),
    disableAfterMs: wholeNumber(1_000)
      .default(5 * DAY_MS)
      .describe('A webhook that failed for this long, without a success, is disabled; in milliseconds.'),
    retentionMs: wholeNumber(0)
      .default(7 * DAY_MS)
      .describe('How long deliveries are kept that have ended, in milliseconds.'),
    concurrency: wholeNumber(1, 1_000).default(64).describe('Messages that one store-worker sends at once.'),
    perHost: wholeNumber(1, 1_000)
      .default(4)
      .describe('Messages that are sent to one host at once, by all store-workers together.'),
    perProject: wholeNumber(1, 1_000)
      .default(8)
      .describe('Messages of one project that are sent at once, by all store-workers together.'),
  })
  .prefault({});
