import type { z } from 'zod';
import type { snapshotEvents } from '../events/snapshot-events.js';

type Examples<Events> = {
  readonly [Key in keyof Events]: Events[Key] extends { readonly payload: infer Payload extends z.ZodType }
    ? Readonly<Record<string, z.output<Payload>>>
    : never;
};

const about = {
  request_id: 'req-4f1c8a',
  project_id: '7c1f0a52d3f94a0d8f1c1f5a6f1b2c3d',
  instance_id: 'b6b1e0cf-6a57-4f1e-8a43-0b7f3f1f7d52',
  image_id: '1c8d7a1f-6c0a-4f0d-9d5f-5a1b8f9a2b3c',
  task_id: '3f2b1a0c-4d5e-4f6a-8b7c-9d0e1f2a3b4c',
};

/** What events of version 1.0 hold, by the event and what they show. Whatever is added later, these stay good. */
export const snapshotEventExamples: Examples<typeof snapshotEvents> = {
  accepted: {
    'A backup': {
      ...about,
      name: 'nightly',
      disk_format: 'qcow2',
      container_format: 'bare',
      image_type: 'backup',
    },
  },
  progress: {
    'Not begun': {
      ...about,
      phase: 'waiting',
      bytes_done: 0,
      bytes_total: null,
      bytes_per_second: null,
      attempt: 0,
    },
    'Under way': {
      ...about,
      phase: 'downloading',
      bytes_done: 8_388_608_000,
      bytes_total: 21_474_836_480,
      bytes_per_second: 209_715_200,
      attempt: 1,
    },
  },
  completed: {
    'In two stores': {
      ...about,
      size: 3_221_225_472,
      virtual_size: 21_474_836_480,
      checksum: '5eb63bbbe01eeed093cb22bb8f5acdc3',
      os_hash_algo: 'sha256',
      os_hash_value: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      stores: ['fast', 'slow'],
    },
    'Without what need not be known': {
      ...about,
      size: 196_616,
      virtual_size: null,
      checksum: null,
      os_hash_algo: 'sha256',
      os_hash_value: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
      stores: ['fast'],
    },
  },
  failed: {
    'The disk went away': {
      ...about,
      error: { code: 'TRANSFER_ABORTED', message: 'fast: the NBD server ended the connection' },
    },
  },
  cancelled: {
    'By its requester': {
      ...about,
      error: { code: 'SNAPSHOT_CANCELLED', message: 'The snapshot was cancelled.' },
    },
  },
};
