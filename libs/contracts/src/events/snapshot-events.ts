import { z } from 'zod';
import { ByteCount } from '../domain/image.js';
import { Progress } from '../domain/progress.js';
import { event } from '../event.js';
import { SnapshotError } from '../snapshots/snapshot.js';

const About = z.object({
  request_id: z.string(),
  project_id: z.string(),
  instance_id: z.string(),
  image_id: z.string(),
  task_id: z.string(),
});

/** How the snapshots of compute go; the subject is the id of the image. Each has exactly one end. */
export const snapshotEvents = {
  /** The image is there, and its data is to be fetched. */
  accepted: event('snapshot.accepted', {
    payload: About.extend({
      name: z.string(),
      disk_format: z.string(),
      container_format: z.string(),
      image_type: z.string(),
    }),
  }),
  /**
   * A live event, about once a second: stored nowhere, and one that is lost harms nothing. The phases are those of
   * {@link Progress}.
   */
  progress: event('snapshot.progress', {
    payload: About.extend({
      phase: Progress.shape.phase,
      bytes_done: ByteCount,
      bytes_total: ByteCount.nullable(),
      bytes_per_second: ByteCount.nullable(),
      attempt: z.int(),
    }),
  }),
  /** The image is active. */
  completed: event('snapshot.completed', {
    payload: About.extend({
      size: ByteCount,
      virtual_size: ByteCount.nullable(),
      checksum: z.string().nullable(),
      os_hash_algo: z.string(),
      os_hash_value: z.string(),
      stores: z.array(z.string()),
    }),
  }),
  /** Nothing came of it, and its image is gone. */
  failed: event('snapshot.failed', { payload: About.extend({ error: SnapshotError }) }),
  /** Somebody ended it, or deleted its image; the image is gone. */
  cancelled: event('snapshot.cancelled', { payload: About.extend({ error: SnapshotError }) }),
} as const;
