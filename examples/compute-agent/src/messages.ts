/** What the agent sends, as Glimpse documents it (docs/snapshots.md, docs/asyncapi.yaml). */
export interface SnapshotRequest {
  readonly schema_version: '1.0';
  readonly type: 'snapshot.create';
  readonly request_id: string;
  readonly project_id?: string;
  readonly user_id?: string;
  readonly roles?: readonly string[];
  readonly auth?: { readonly token: string };
  readonly instance_id: string;
  readonly name: string;
  readonly source: {
    readonly uri: string;
    readonly format: 'raw';
    readonly incremental?: { readonly parent_image_id: string; readonly dirty_bitmap: string };
  };
  readonly disk_format: string;
  readonly compressed: boolean;
  readonly reply: 'completed';
  readonly [more: string]: unknown;
}

/** What is answered. */
export interface SnapshotReply {
  readonly request_id: string | null;
  readonly status: 'accepted' | 'completed' | 'failed' | 'cancelled' | 'rejected';
  readonly image_id: string | null;
  readonly task_id: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly size?: number | null;
  readonly checksum?: string | null;
  readonly os_hash_algo?: string | null;
  readonly os_hash_value?: string | null;
}

/** The event `snapshot.progress`, as far as the agent tells of it. */
export interface SnapshotProgress {
  readonly request_id: string;
  readonly project_id: string;
  readonly phase: string;
  readonly bytes_done: number;
  readonly bytes_total: number | null;
  readonly bytes_per_second: number | null;
}

/** Ends the snapshot that `request` asked for. */
export const cancellationOf = ({ request_id, project_id, user_id, roles, auth }: SnapshotRequest) => ({
  schema_version: '1.0',
  type: 'snapshot.cancel',
  request_id,
  project_id,
  user_id,
  roles,
  auth,
});
