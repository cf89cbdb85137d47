import type { Flag } from './flag.js';
import type { MetadefTables } from './metadef-tables.js';
import type { ReconcileTables } from './reconcile-tables.js';
import type { SnapshotTables } from './snapshot-tables.js';
import type { WebhookTables } from './webhook-tables.js';

/** Glance's bookkeeping on each row; times as `YYYY-MM-DD HH:MM:SS` in UTC. */
interface Lifetime {
  created_at: string;
  updated_at: string | null;
  deleted_at: string | null;
  deleted: Flag;
}

export interface ImageRow extends Lifetime {
  id: string;
  name: string | null;
  disk_format: string | null;
  container_format: string | null;
  size: number | null;
  virtual_size: number | null;
  status: string;
  visibility: string;
  checksum: string | null;
  os_hash_algo: string | null;
  os_hash_value: string | null;
  min_disk: number;
  min_ram: number;
  owner: string | null;
  protected: Flag;
  os_hidden: Flag;
}

export interface ImagePropertyRow extends Lifetime {
  id: number;
  image_id: string;
  name: string;
  value: string | null;
}

export interface ImageLocationRow extends Lifetime {
  id: number;
  image_id: string;
  value: string;
  /** JSON. */
  meta_data: string | null;
  status: string;
}

export interface ImageMemberRow extends Lifetime {
  id: number;
  image_id: string;
  member: string;
  can_share: Flag;
  status: string;
}

export interface ImageTagRow extends Lifetime {
  id: number;
  image_id: string;
  value: string;
}

export interface TaskRow extends Lifetime {
  id: string;
  type: string;
  status: string;
  owner: string;
  expires_at: string | null;
  image_id: string | null;
  request_id: string | null;
  user_id: string | null;
}

export interface TaskInfoRow {
  task_id: string;
  /** JSON. */
  input: string | null;
  /** JSON. */
  result: string | null;
  message: string | null;
}

/** An event that was committed and is to be published. Times in the tables of our own are epoch milliseconds. */
export interface OutboxRow {
  /** The order of publishing. */
  id: number;
  event_id: string;
  name: string;
  subject: string;
  /** JSON. */
  payload: string;
  traceparent: string | null;
  occurred_at: number;
  sent_at: number | null;
}

/** A notification of oslo.messaging that was committed and is to be sent. */
export interface NotificationRow {
  /** The order of sending. */
  id: number;
  message_id: string;
  event_type: string;
  priority: string;
  /** What it is about: notifications of one subject are sent in their order. */
  subject: string;
  /** JSON. */
  payload: string;
  occurred_at: number;
  /** Times that it could not be sent. */
  attempts: number;
  /** It failed, and until when neither it nor what follows it on its subject is tried again. */
  held_until: number | null;
  sent_at: number | null;
}

export interface JobRow {
  id: string;
  kind: string;
  status: string;
  image_id: string | null;
  /** Whose turn it is when the job is; empty where it is nobody's in particular. */
  project_id: string;
  /** JSON. */
  payload: string;
  /** Claims so far. */
  attempt: number;
  /** When it may be claimed: a queued job's next attempt, a running job's end of lease. */
  due_at: number;
  lease_owner: string | null;
  lease_token: string | null;
  /** JSON. */
  progress: string | null;
  /** JSON: code and message. */
  last_error: string | null;
  created_at: number;
  updated_at: number;
}

export interface LeaseRow {
  /** `instance`, `upload` or `singleton`. */
  kind: string;
  /** The instance's id, the upload's id, the name of what may run once. */
  id: string;
  /** The instance that holds it. */
  owner: string;
  /** `held`; of an upload also `reaping`, `committed` and `aborted`. */
  state: string;
  /** Null for an upload that goes on: it lasts as long as its instance's lease. Of one that ended, when to forget it. */
  expires_at: number | null;
  image_id: string | null;
  store_id: string | null;
  /** Of an upload, the bytes that it announced. */
  size: number | null;
  /** Of an upload, JSON: how far it has come, or why it came to nothing. */
  progress: string | null;
  /** Of an instance, JSON: service and host. */
  details: string | null;
  created_at: number;
}

/** Whoever measures and changes the usage of a project holds its row. */
export interface QuotaLockRow {
  project: string;
  held_at: number;
}

/** Data of an image that waits to be imported. */
export interface StagedDataRow {
  image_id: string;
  url: string;
  /** JSON. */
  metadata: string | null;
  size: number;
  staged_at: number;
}

/** What is known of the data at a location. */
export interface LocationCheckRow {
  /** The id of the row of image_locations. */
  location_id: number;
  image_id: string;
  /** One of the contract's copy states. */
  state: string;
  reason: string | null;
  /** Since when it is out of service; null while it is read from. */
  damaged_at: number | null;
  /** When it was last found to be whole. */
  intact_at: number | null;
  /** When somebody last looked, whatever came of it. */
  checked_at: number | null;
  /** Counts as the time of the last look: an interval later it is its turn. */
  turn_at: number;
  /** Since when somebody wants it looked at. */
  requested_at: number | null;
  /** Since when a job is to look at it. */
  queued_at: number | null;
}

/** The tables that Glimpse writes, by name. */
export interface Tables extends MetadefTables, ReconcileTables, SnapshotTables, WebhookTables {
  images: ImageRow;
  image_properties: ImagePropertyRow;
  image_locations: ImageLocationRow;
  image_members: ImageMemberRow;
  image_tags: ImageTagRow;
  tasks: TaskRow;
  task_info: TaskInfoRow;
  outbox: OutboxRow;
  notifications: NotificationRow;
  jobs: JobRow;
  leases: LeaseRow;
  quota_locks: QuotaLockRow;
  staged_data: StagedDataRow;
  location_checks: LocationCheckRow;
}
export type TableName = keyof Tables;
