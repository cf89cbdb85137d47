export { ComponentSchemas, type JsonObject } from './component-schemas.js';
export { type RpcDefinition, type RpcOwner, type RequestOf, type ResponseOf, rpc } from './rpc.js';
export { type EventDefinition, type PayloadOf, type ReceivedEvent, EventEnvelope, event } from './event.js';
export { type ErrorCode, errorCodes, isErrorCode } from './errors/error-codes.js';
export { ServiceError, WireError, isServiceError } from './errors/service-error.js';
export { Caller, ProjectLimits } from './domain/caller.js';
export {
  ByteCount,
  Image,
  ImageId,
  ImageLocation,
  ImageStatus,
  Properties,
  Timestamp,
  Visibility,
  imageStatuses,
  storeOf,
  visibilities,
} from './domain/image.js';
export { ImageMember, MemberStatus, memberStatuses } from './domain/member.js';
export { ImageChange, NewImage, WritableAttribute } from './domain/new-image.js';
export {
  MAX_PROPERTY_VALUE_BYTES,
  MAX_TEXT_LENGTH,
  isInternalProperty,
  isReadOnlyAttribute,
  isReservedProperty,
  isStorableText,
} from './domain/stored-text.js';
export {
  ImageQuery,
  SortKey,
  equalityFilterColumns,
  rangeFilterColumns,
  sortKeys,
  textFilterColumns,
} from './domain/image-query.js';
export {
  ClaimedJob,
  HashedData,
  JobKind,
  type JobPayload,
  type JobResult,
  jobKinds,
  jobPayloadOf,
  jobResultOf,
  jobStatuses,
} from './domain/job.js';
export {
  ExpectedHash,
  LocationHashAlgorithm,
  NewLocation,
  ProbedLocation,
  locationHashLengths,
  toShownLocation,
  withoutCredentials,
} from './domain/location.js';
export {
  Progress,
  type ProgressPhase,
  type ProgressReporter,
  progressPhases,
  secondsLeft,
} from './domain/progress.js';
export { Transfer, estimatedEndOf, isOver, transferKinds } from './domain/transfer.js';
export {
  Task,
  TaskFilter,
  TaskQuery,
  TaskSortKey,
  TaskStatus,
  TaskSummary,
  TaskType,
  taskFilters,
  taskSortKeys,
  taskStatuses,
  taskTypes,
} from './domain/task.js';
export {
  ConversionRequest,
  ExpectedDigest,
  ImportMethod,
  ImportPayload,
  ImportRequest,
  ImportResult,
  ImportSource,
  ImportStep,
  STAGING_STORE,
  attemptIdOf,
  digestLengths,
  endedImportPayload,
  isAttemptId,
  stagedKeyOf,
  uriWithoutSecrets,
} from './domain/import.js';
export {
  CheckedCopy,
  CopyState,
  RecordedData,
  RepairPayload,
  RepairResult,
  VerifyPayload,
  VerifyResult,
  copyStates,
  repairKeyOf,
} from './domain/verification.js';
export {
  DataCount,
  FoundData,
  PromisedData,
  ReconcilePayload,
  ReconcileReport,
  ReconcileResult,
  SetAsideAction,
  SetAsideData,
  imageIdOfKey,
} from './domain/reconcile.js';
export {
  type UriRules,
  isSchemeAllowed,
  normalizeHost,
  problemWithServer,
  problemWithUri,
} from './domain/uri-rules.js';
export { AddressRules, isOwnAddress } from './domain/own-addresses.js';
export { StagingTicket, registryImports } from './registry/imports.contract.js';
export { registryLocations, registryStores } from './registry/locations.contract.js';
export { registryVerification } from './registry/verification.contract.js';
export { RECONCILE_BATCH, registryReconcile } from './registry/reconcile.contract.js';
export { MAX_REPORTED_UPLOADS, registryTransfers } from './registry/transfers.contract.js';
export { registryTasks } from './registry/tasks.contract.js';
export { storeWorkerLocations } from './store-worker/locations.contract.js';
export { DownloadTicket, StoredData, UploadTicket, registryImages } from './registry/images.contract.js';
export { registryMembers } from './registry/members.contract.js';
export { ProjectUsage, registryUsage } from './registry/usage.contract.js';
export {
  type CacheRule,
  MAX_CACHED_IMAGES_ASKED,
  cacheRules,
  registryCache,
} from './registry/cache.contract.js';
export { registryInstances } from './registry/instances.contract.js';
export { registryJobs } from './registry/jobs.contract.js';
export {
  MAX_CLAIMED_DELIVERIES,
  registryWebhookDeliveries,
  registryWebhooks,
} from './registry/webhooks.contract.js';
export {
  ClaimedDelivery,
  DeliveryOutcome,
  NewWebhook,
  WEBHOOK_TEST_TYPE,
  Webhook,
  WebhookChanges,
  WebhookDelivery,
  WebhookDeliveryStatus,
  WebhookDisabledReason,
  type WebhookEventType,
  WebhookWithSecret,
  isEventTypeNamed,
  isEventTypePattern,
  webhookDeliveryStatuses,
  webhookDisabledReasons,
  webhookEventTypes,
} from './domain/webhook.js';
export { webhookEvents } from './events/webhook-events.js';
export { verificationEvents } from './events/verification-events.js';
export { transferEvents } from './events/transfer-events.js';
export { taskEvents } from './events/task-events.js';
export { type PublicEvent, publicEvents } from './events/public-events.js';
export {
  type NotificationType,
  SentData,
  isNotificationNamed,
  notificationGroups,
  notificationTypes,
} from './domain/notification.js';
export { MAX_SENT_DATA, registryNotifications } from './registry/notifications.contract.js';
export { snapshotEvents } from './events/snapshot-events.js';
export { problemWithSnapshotScheme, snapshotSchemes } from './snapshots/snapshot-schemes.js';
export { SNAPSHOT_SCHEMA_VERSION } from './snapshots/wire-values.js';
export { SnapshotCancel, SnapshotOrder, SnapshotRequest } from './snapshots/snapshot-request.js';
export {
  snapshotCancelExamples,
  snapshotReplyExamples,
  snapshotRequestExamples,
} from './snapshots/examples.js';
export { osloCallExamples } from './snapshots/oslo-call-examples.js';
export {
  MAX_REPLY_ADDRESSES,
  Snapshot,
  SnapshotError,
  SnapshotReply,
  SnapshotReplyAddress,
  SnapshotStatus,
  rejectedSnapshotReply,
  snapshotStatuses,
  toSnapshotReply,
} from './snapshots/snapshot.js';
export { registrySnapshots } from './registry/snapshots.contract.js';
export { imageEvents } from './events/image-events.js';
export { memberEvents } from './events/member-events.js';
export { storeEvents } from './events/store-events.js';
export { jobEvents } from './events/job-events.js';
export { AuditRecord, auditEvents } from './events/audit-events.js';
export {
  FilledStringArray,
  MAX_METADEF_NAME_LENGTH,
  MetadefProperties,
  MetadefProperty,
  MetadefPropertyDocument,
  MetadefPropertyMap,
  PositiveInteger,
  PositiveIntegerDefault0,
  StringArray,
  toStoredProperty,
} from './domain/metadefs/property-document.js';
export {
  MetadefAssociationDocument,
  MetadefFile,
  MetadefNamespaceDocument,
  MetadefObjectDocument,
  MetadefTagDocument,
  MetadefTagsDocument,
  MetadefVisibility,
  metadefVisibilities,
} from './domain/metadefs/documents.js';
export { checkMetadefDocument } from './domain/metadefs/check-document.js';
export {
  MetadefAssociation,
  MetadefContent,
  MetadefNamespace,
  MetadefNamespaceQuery,
  MetadefObject,
  MetadefResourceType,
  MetadefTag,
  MetadefTagQuery,
  metadefNamespaceSortKeys,
  metadefTagSortKeys,
} from './domain/metadefs/metadef.js';
export {
  NewMetadefAssociation,
  NewMetadefContent,
  NewMetadefNamespace,
  NewMetadefObject,
  toNewAssociation,
  toNewContent,
  toNewNamespace,
  toNewObject,
} from './domain/metadefs/new-metadef.js';
export {
  registryMetadefNamespaces,
  registryMetadefObjects,
  registryMetadefProperties,
  registryMetadefResourceTypes,
  registryMetadefTags,
} from './registry/metadefs.contract.js';
export { metadefEvents } from './events/metadef-events.js';
