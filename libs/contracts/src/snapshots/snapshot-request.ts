import { z } from 'zod';
import { Visibility } from '../domain/image.js';
import { MAX_PROPERTY_VALUE_BYTES, MAX_TEXT_LENGTH } from '../domain/stored-text.js';
import { SchemaVersion, SnapshotRequestId, identityMembers, text } from './wire-values.js';

const MAX_URI_LENGTH = 4_096;
/** What QEMU allows. */
const MAX_BITMAP_NAME_LENGTH = 1_023;
const MAX_PROPERTIES = 1_024;
const MAX_TAGS = 1_024;
const MAX_STORES = 64;
const MAX_NUMBER = 2 ** 31 - 1;

/** Characters of Glance's columns. */
const format = () => text(20);

const Incremental = z.object({
  parent_image_id: text(36).describe(
    'The image that the disk was in its time. It must be active, of disk_format raw or qcow2, and readable for the caller.',
  ),
  dirty_bitmap: text(MAX_BITMAP_NAME_LENGTH)
    .regex(/^[ -~\u00a0-\uffff]+$/, 'has characters that no bitmap has in its name')
    .describe(
      'The bitmap that the NBD server exports as `qemu:dirty-bitmap:<name>`: the blocks that changed since.',
    ),
});

/** Where the disk is read from. */
export const SnapshotSource = z.object({
  uri: text(MAX_URI_LENGTH).describe(
    'The disk: `file:` (a shared directory that the operator allows), `http:`, `https:`, `nbd:`, `nbds:` (TLS), `nbd+unix:` or `nbds+unix:`.',
  ),
  format: format().default('raw').describe('Format of what is read there. A disk that QEMU exports is raw.'),
  incremental: Incremental.optional().describe(
    'Read only what changed since another image was made. The new image is whole all the same. With NBD only.',
  ),
  connections: z
    .int()
    .min(1)
    .max(16)
    .default(4)
    .describe('Connections to an NBD server that allows several.'),
});
export type SnapshotSource = z.output<typeof SnapshotSource>;

/** A compute host asks for an image of a disk: the message on `glimpse.snapshots`. */
export const SnapshotRequest = z.object({
  schema_version: SchemaVersion,
  type: z.literal('snapshot.create').default('snapshot.create').describe('What the message is.'),
  request_id: SnapshotRequestId,
  ...identityMembers,
  instance_id: text(MAX_TEXT_LENGTH).describe('The server whose disk it is.'),
  name: text(MAX_TEXT_LENGTH).describe('Name of the image.'),
  source: SnapshotSource,
  disk_format: format()
    .optional()
    .describe(
      'What the image is to be; the disk is converted where it is not. Default: the format of the source.',
    ),
  container_format: format().default('bare'),
  compressed: z.boolean().default(false).describe('Compress the image: with disk_format qcow2 only.'),
  min_disk: z.int().min(0).max(MAX_NUMBER).optional().describe('GiB.'),
  min_ram: z.int().min(0).max(MAX_NUMBER).optional().describe('MiB.'),
  visibility: Visibility.default('private'),
  protected: z.boolean().default(false),
  tags: z.array(text(MAX_TEXT_LENGTH, 0)).max(MAX_TAGS).default([]),
  image_type: z.enum(['snapshot', 'backup']).default('snapshot'),
  backup_type: text(MAX_TEXT_LENGTH)
    .optional()
    .describe('With image_type backup: the kind of backup, e.g. daily; the compute service rotates by it.'),
  base_image_ref: text(MAX_TEXT_LENGTH).optional().describe('The image that the server was made of.'),
  properties: z
    .record(text(MAX_TEXT_LENGTH), z.string().max(MAX_PROPERTY_VALUE_BYTES))
    .refine((properties) => Object.keys(properties).length <= MAX_PROPERTIES, 'has too many members')
    .meta({ maxProperties: MAX_PROPERTIES })
    .default({})
    .describe("Further properties of the image: what it inherits of the server's, and what its user says."),
  stores: z
    .array(text(64))
    .max(MAX_STORES)
    .default([])
    .describe('Where the image is stored. Default: the default store.'),
  reply: z
    .enum(['accepted', 'completed'])
    .default('accepted')
    .describe('When the reply comes: when the request is accepted, or when the image is there, or is not.'),
});
export type SnapshotRequest = z.output<typeof SnapshotRequest>;

/** Ends a snapshot, or forbids one whose request has not come yet. */
export const SnapshotCancel = z.object({
  schema_version: SchemaVersion,
  type: z.literal('snapshot.cancel').describe('What the message is.'),
  request_id: SnapshotRequestId,
  ...identityMembers,
});
export type SnapshotCancel = z.output<typeof SnapshotCancel>;

/** A request as the registry gets it: without what says who asks, which the caller of the RPC stands for. */
export const SnapshotOrder = SnapshotRequest.omit({
  schema_version: true,
  type: true,
  project_id: true,
  user_id: true,
  roles: true,
  auth: true,
});
export type SnapshotOrder = z.output<typeof SnapshotOrder>;
