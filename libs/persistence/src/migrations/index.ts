import { GlanceSchema1700000000001 } from './1700000000001-glance-schema.js';
import { GlimpseTables1700000000002 } from './1700000000002-glimpse-tables.js';
import { ListIndexes1700000000003 } from './1700000000003-list-indexes.js';
import { Quotas1700000000004 } from './1700000000004-quotas.js';
import { PageIndexes1700000000005 } from './1700000000005-page-indexes.js';
import { LocationIndex1700000000006 } from './1700000000006-location-index.js';
import { StagedData1700000000009 } from './1700000000009-staged-data.js';
import { UploadProgress1700000000010 } from './1700000000010-upload-progress.js';
import { LocationChecks1700000000011 } from './1700000000011-location-checks.js';
import { Reconcile1700000000012 } from './1700000000012-reconcile.js';
import { NamedIndexes1700000000015 } from './1700000000015-named-indexes.js';
import { SnapshotRequests1700000000016 } from './1700000000016-snapshot-requests.js';
import { Notifications1700000000019 } from './1700000000019-notifications.js';
import { Webhooks1700000000020 } from './1700000000020-webhooks.js';
import { WebhookEvents1700000000021 } from './1700000000021-webhook-events.js';
import { HeldNotifications1700000000022 } from './1700000000022-held-notifications.js';

/** Where we note which migrations ran; Glance's own note is `alembic_version`. */
export const MIGRATIONS_TABLE = 'glimpse_migrations';

/** Every migration, oldest first. One that was released never changes. */
const migrations = [
  GlanceSchema1700000000001,
  GlimpseTables1700000000002,
  ListIndexes1700000000003,
  Quotas1700000000004,
  PageIndexes1700000000005,
  LocationIndex1700000000006,
  StagedData1700000000009,
  UploadProgress1700000000010,
  LocationChecks1700000000011,
  Reconcile1700000000012,
  NamedIndexes1700000000015,
  SnapshotRequests1700000000016,
  Notifications1700000000019,
  Webhooks1700000000020,
  WebhookEvents1700000000021,
  HeldNotifications1700000000022,
];

/** What a DataSource is told of them. */
export const migrationOptions = { migrations, migrationsTableName: MIGRATIONS_TABLE };
