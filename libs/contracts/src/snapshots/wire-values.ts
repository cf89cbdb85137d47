import { z } from 'zod';
import { MAX_TEXT_LENGTH, isStorableText } from '../domain/stored-text.js';

// What messages about snapshots are made of: every text has a bound.

/** The version of the messages that this release writes. */
export const SNAPSHOT_SCHEMA_VERSION = '1.0';

/** Text that the database can hold. */
export const text = (max: number, min = 1) =>
  z.string().min(min).max(max).refine(isStorableText, 'has characters that can not be stored');

export const SchemaVersion = z
  .string()
  .max(16)
  .regex(/^1(\.\d+)?$/, 'is a version that is not understood here')
  .default(SNAPSHOT_SCHEMA_VERSION)
  .describe(
    'Version of the message. Within a major version members are only added: those that a receiver does not know it ignores. Another major version is refused.',
  );

export const SnapshotRequestId = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[!-~]+$/, 'must be printable ASCII without blanks')
  .describe(
    'Names the request: the same one again, within its project, makes no second image. A UUID, or what the compute service calls the request.',
  );

/** Who asks: the one that the token stands for, or the one that a trusted publisher names. */
export const identityMembers = {
  project_id: text(MAX_TEXT_LENGTH)
    .optional()
    .describe(
      'The project that the snapshot is made for, and that owns the image. From a publisher that is trusted; with a token it must be that of the token.',
    ),
  user_id: text(MAX_TEXT_LENGTH)
    .optional()
    .describe('Who asked the compute service for the snapshot. Taken from a trusted publisher only.'),
  roles: z
    .array(text(MAX_TEXT_LENGTH))
    .max(64)
    .optional()
    .describe('The roles of that user in the project. Taken from a trusted publisher only.'),
  auth: z
    .object({
      token: z.string().min(1).max(16_384).describe('A token of Keystone or of the OpenID Connect issuer.'),
    })
    .optional()
    .describe('Stands for the identity of the caller, whoever published the message.'),
};
