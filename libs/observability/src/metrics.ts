import { Counter, Gauge, Histogram, collectDefaultMetrics, register } from 'prom-client';

/** The names of all metrics; each is counted beside the code that it measures. */
export const metricNames = {
  httpRequests: 'glimpse_http_request_duration_seconds',
  httpRequestsInFlight: 'glimpse_http_requests_in_flight',
  rateLimited: 'glimpse_http_rate_limited_total',
  transferBytes: 'glimpse_transfer_bytes_total',
  transfers: 'glimpse_transfers_total',
  transfersInFlight: 'glimpse_transfers_in_flight',
  progressStreams: 'glimpse_progress_streams',
  rpcCalls: 'glimpse_rpc_call_duration_seconds',
  rpcHandled: 'glimpse_rpc_handled_duration_seconds',
  rpcEnvelopeCalls: 'glimpse_rpc_envelope_calls',
  busConnected: 'glimpse_bus_connected',
  busRefused: 'glimpse_bus_refused_messages_total',
  snapshotRequests: 'glimpse_snapshot_requests_total',
  snapshotReplies: 'glimpse_snapshot_replies_total',
  eventsPublished: 'glimpse_events_published_total',
  eventsHandled: 'glimpse_events_handled_total',
  outboxUnsent: 'glimpse_outbox_unsent_events',
  notifications: 'glimpse_notifications_total',
  notificationsWaiting: 'glimpse_notifications_waiting',
  notificationsHeld: 'glimpse_notifications_held',
  notificationsOldest: 'glimpse_notifications_oldest_seconds',
  downloadsToNotify: 'glimpse_downloads_to_notify',
  downloadsForgotten: 'glimpse_downloads_not_notified_total',
  jobs: 'glimpse_jobs_total',
  jobBytes: 'glimpse_job_bytes_total',
  jobsRunning: 'glimpse_jobs_running',
  jobsWaiting: 'glimpse_jobs_waiting',
  webhookDeliveries: 'glimpse_webhook_deliveries_total',
  webhookDeliveriesWaiting: 'glimpse_webhook_deliveries_waiting',
  webhookOldestWaiting: 'glimpse_webhook_oldest_waiting_seconds',
  webhookEventsWaiting: 'glimpse_webhook_events_waiting',
  webhookDropped: 'glimpse_webhook_dropped_total',
  webhooksDisabled: 'glimpse_webhooks_disabled_total',
  keystoneCacheLookups: 'glimpse_keystone_cache_lookups_total',
  keystoneValidations: 'glimpse_keystone_validations_total',
  keystoneRequests: 'glimpse_keystone_request_duration_seconds',
  keystoneAvailable: 'glimpse_keystone_available',
  snapshots: 'glimpse_snapshots_total',
  snapshotsInProgress: 'glimpse_snapshots_in_progress',
  leasesReaped: 'glimpse_leases_reaped_total',
  cacheRequests: 'glimpse_cache_requests_total',
  cacheFills: 'glimpse_cache_fills_total',
  cacheFillsInFlight: 'glimpse_cache_fills_in_flight',
  cacheEvictions: 'glimpse_cache_evictions_total',
  cacheBytes: 'glimpse_cache_bytes',
  cacheImages: 'glimpse_cache_images',
  verifiedBytes: 'glimpse_verification_bytes_total',
  verifications: 'glimpse_verifications_total',
  repairs: 'glimpse_copy_repairs_total',
  damagedCopies: 'glimpse_damaged_copies',
  overdueCopies: 'glimpse_verification_overdue_copies',
  storeOrphans: 'glimpse_store_orphan_objects',
  storeOrphanBytes: 'glimpse_store_orphan_bytes',
  storeMissing: 'glimpse_store_missing_objects',
  storeQuarantine: 'glimpse_store_quarantine_objects',
  storeQuarantineBytes: 'glimpse_store_quarantine_bytes',
  storeReconciled: 'glimpse_store_reconciled_timestamp_seconds',
  storeSetAside: 'glimpse_store_set_aside_objects_total',
} as const;

type Labels = readonly string[];
type Description<L extends Labels> = { name: string; help: string; labelNames?: L };

const existing = <M>(name: string) => register.getSingleMetric(name) as M | undefined;

/** The counter of that name of this process; made on first use, so that several services can share a process. */
export function counter<const L extends Labels = []>(description: Description<L>): Counter<L[number]> {
  return existing<Counter<L[number]>>(description.name) ?? new Counter(description);
}

/** The gauge of that name of this process. */
export function gauge<const L extends Labels = []>(description: Description<L>): Gauge<L[number]> {
  return existing<Gauge<L[number]>>(description.name) ?? new Gauge(description);
}

/** The histogram of that name of this process. */
export function histogram<const L extends Labels = []>(
  description: Description<L> & { buckets?: number[] },
): Histogram<L[number]> {
  return existing<Histogram<L[number]>>(description.name) ?? new Histogram(description);
}

/** Starts to collect what every process has: CPU, memory, event loop lag. Repeatable. */
export function collectProcessMetrics(): void {
  if (existing('process_cpu_user_seconds_total') === undefined) collectDefaultMetrics();
}

/** All metrics of this process in Prometheus' text format. */
export async function renderMetrics(): Promise<{ contentType: string; body: string }> {
  return { contentType: register.contentType, body: await register.metrics() };
}
