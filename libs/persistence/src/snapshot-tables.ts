/** A request for a snapshot: what was made of it, and that it was made. */
export interface SnapshotRequestRow {
  project_id: string;
  request_id: string;
  /** Of its content; null where it was cancelled before it came, as the next three. */
  fingerprint: string | null;
  instance_id: string | null;
  image_id: string | null;
  task_id: string | null;
  /** One of the contract's snapshot statuses. */
  status: string;
  /** JSON: the addresses that are to be told its end. */
  reply_to: string | null;
  /** JSON: code and message. */
  error: string | null;
  /** JSON: size and hashes. */
  data: string | null;
  created_at: number;
  updated_at: number;
}

export interface SnapshotTables {
  snapshot_requests: SnapshotRequestRow;
}
