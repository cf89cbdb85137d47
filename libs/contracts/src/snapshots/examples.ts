import type { z } from 'zod';
import type { SnapshotCancel, SnapshotRequest } from './snapshot-request.js';
import type { SnapshotReply } from './snapshot.js';

type Examples<Schema extends z.ZodType> = Readonly<Record<string, z.input<Schema>>>;

/** Requests of version 1.0, by what they show. Whatever is added later, these stay good. */
export const snapshotRequestExamples: Examples<typeof SnapshotRequest> = {
  'The least': {
    request_id: '0d7f7e3c-9a52-4c0e-9d0b-3a3a0f4b2f11',
    project_id: '7c1f0a52d3f94a0d8f1c1f5a6f1b2c3d',
    instance_id: 'b6b1e0cf-6a57-4f1e-8a43-0b7f3f1f7d52',
    name: 'before the upgrade',
    source: { uri: 'nbd+unix:///vda?socket=/run/glimpse/b6b1e0cf.sock' },
  },
  'A compressed qcow2 of a live disk': {
    schema_version: '1.0',
    type: 'snapshot.create',
    request_id: 'req-4f1c8a',
    project_id: '7c1f0a52d3f94a0d8f1c1f5a6f1b2c3d',
    user_id: '5a1d2c3b4e5f60718293a4b5c6d7e8f9',
    roles: ['member'],
    instance_id: 'b6b1e0cf-6a57-4f1e-8a43-0b7f3f1f7d52',
    name: 'nightly',
    source: { uri: 'nbd://compute-7.example.org:10809/vda', format: 'raw', connections: 4 },
    disk_format: 'qcow2',
    container_format: 'bare',
    compressed: true,
    min_disk: 20,
    min_ram: 512,
    visibility: 'private',
    protected: false,
    tags: ['nightly'],
    image_type: 'backup',
    backup_type: 'daily',
    base_image_ref: '2d9bb53f-70ea-4066-a68b-67960eaae673',
    properties: { hw_disk_bus: 'virtio', os_type: 'linux' },
    stores: ['fast'],
    reply: 'completed',
  },
  'What changed since another image': {
    request_id: 'req-4f1c8b',
    auth: { token: 'gAAAAABm…' },
    instance_id: 'b6b1e0cf-6a57-4f1e-8a43-0b7f3f1f7d52',
    name: 'hourly',
    source: {
      uri: 'nbd://compute-7.example.org:10809/vda',
      incremental: { parent_image_id: '9a0c2b1e-51b8-4c8e-8a55-2f4f0b1d6c7a', dirty_bitmap: 'since-nightly' },
    },
  },
};

/** As {@link snapshotRequestExamples}. */
export const snapshotCancelExamples: Examples<typeof SnapshotCancel> = {
  'Ends a snapshot': {
    schema_version: '1.0',
    type: 'snapshot.cancel',
    request_id: 'req-4f1c8a',
    project_id: '7c1f0a52d3f94a0d8f1c1f5a6f1b2c3d',
  },
};

/** As {@link snapshotRequestExamples}. */
export const snapshotReplyExamples: Examples<typeof SnapshotReply> = {
  Accepted: {
    schema_version: '1.0',
    type: 'snapshot.reply',
    request_id: 'req-4f1c8a',
    status: 'accepted',
    image_id: '1c8d7a1f-6c0a-4f0d-9d5f-5a1b8f9a2b3c',
    task_id: '3f2b1a0c-4d5e-4f6a-8b7c-9d0e1f2a3b4c',
    error: null,
  },
  Completed: {
    schema_version: '1.0',
    type: 'snapshot.reply',
    request_id: 'req-4f1c8a',
    status: 'completed',
    image_id: '1c8d7a1f-6c0a-4f0d-9d5f-5a1b8f9a2b3c',
    task_id: '3f2b1a0c-4d5e-4f6a-8b7c-9d0e1f2a3b4c',
    error: null,
    size: 196_616,
    checksum: null,
    os_hash_algo: 'sha256',
    os_hash_value: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  },
  Rejected: {
    schema_version: '1.0',
    type: 'snapshot.reply',
    request_id: null,
    status: 'rejected',
    image_id: null,
    task_id: null,
    error: { code: 'REQUEST_INVALID', message: 'The message is not JSON' },
  },
};
