import { afterAll, beforeAll, describe } from '@jest/globals';
import { describeAudit } from './audit/audit.conformance.js';
import { describeCache } from './cache/cache.conformance.js';
import { describeImages } from './images/images.conformance.js';
import { describePages } from './images/image-list-pages.conformance.js';
import { describeLists } from './images/image-lists.conformance.js';
import { describeRevisions } from './images/revisions.conformance.js';
import { describeUploads } from './images/uploads.conformance.js';
import { describeImports, importsEnvironment } from './imports/imports.conformance.js';
import { describeJobs } from './jobs/jobs.conformance.js';
import { describeKeptLocations } from './locations/kept-locations.conformance.js';
import { describeLocations, locationsEnvironment } from './locations/locations.conformance.js';
import { describeMembers } from './members/members.conformance.js';
import { describeMetadefs } from './metadefs/metadefs.conformance.js';
import {
  describeNotifications,
  notificationsEnvironment,
} from './notifications/notifications.conformance.js';
import { describeNotificationRelay } from './notifications/notification-relay.conformance.js';
import { describeSnapshotNotifications } from './notifications/snapshot-notifications.conformance.js';
import { describeOutbox } from './outbox/outbox.conformance.js';
import { describeProtections } from './property-protection/protections.conformance.js';
import { describeQuotas } from './quotas/quotas.conformance.js';
import { describeSnapshots, snapshotsEnvironment } from './snapshots/snapshots.conformance.js';
import { describeTasks } from './tasks/tasks.conformance.js';
import { describeTransfers } from './transfers/transfers.conformance.js';
import { describeVerification, verificationEnvironment } from './verification/verification.conformance.js';
import { boundsEnvironment, describeBounds } from './webhooks/bounds.conformance.js';
import { describeDeliveries, deliveriesEnvironment } from './webhooks/deliveries.conformance.js';
import {
  describeNoWebhooks,
  describeWebhooks,
  noWebhooksEnvironment,
  webhooksEnvironment,
} from './webhooks/webhooks.conformance.js';
import {
  type DatabasePlace,
  type RegistryUnderTest,
  startRegistryOn,
} from './registry-harness.conformance.js';

/** What the registry does, on either database. */
export function describeRegistry(name: string, makePlace: () => Promise<DatabasePlace>): void {
  describe(`the registry on ${name}`, () => {
    describe('images', () => {
      withRegistry(makePlace, describeImages);
    });
    describe('lists', () => {
      withRegistry(makePlace, describeLists);
    });
    describe('pages', () => {
      withRegistry(makePlace, describePages);
    });
    describe('data', () => {
      withRegistry(makePlace, describeUploads);
    });
    describe('members', () => {
      withRegistry(makePlace, describeMembers);
    });
    describe('quotas', () => {
      withRegistry(makePlace, describeQuotas);
    });
    describe('property protections', () => {
      withRegistry(makePlace, describeProtections);
    });
    describe('revisions and removal', () => {
      withRegistry(makePlace, describeRevisions);
    });
    describe('locations', () => {
      withRegistry(makePlace, describeLocations, locationsEnvironment);
    });
    describe('kept locations', () => {
      withRegistry(makePlace, describeKeptLocations, locationsEnvironment);
    });
    describe('imports', () => {
      withRegistry(makePlace, describeImports, importsEnvironment);
    });
    describe('snapshots', () => {
      withRegistry(makePlace, describeSnapshots, snapshotsEnvironment);
    });
    describe('tasks', () => {
      withRegistry(makePlace, describeTasks);
    });
    describe('transfers', () => {
      withRegistry(makePlace, describeTransfers);
    });
    describe('caches', () => {
      withRegistry(makePlace, describeCache);
    });
    describe('jobs', () => {
      withRegistry(makePlace, describeJobs);
    });
    describe('verification', () => {
      withRegistry(makePlace, describeVerification, verificationEnvironment);
    });
    describe('webhooks', () => {
      withRegistry(makePlace, describeWebhooks, webhooksEnvironment);
    });
    describe('webhooks that are switched off', () => {
      withRegistry(makePlace, describeNoWebhooks, noWebhooksEnvironment);
    });
    describe('messages to webhooks', () => {
      withRegistry(makePlace, describeDeliveries, deliveriesEnvironment);
    });
    describe('the bounds of webhooks', () => {
      withRegistry(makePlace, describeBounds, boundsEnvironment);
    });
    describe('metadefs', () => {
      withRegistry(makePlace, describeMetadefs);
    });
    describe('events', () => {
      // Their own events alone, which are counted.
      withRegistry(makePlace, describeOutbox, { GLIMPSE_AUDIT_EVENTS: 'false' });
    });
    describe('notifications', () => {
      withRegistry(makePlace, describeNotifications, notificationsEnvironment);
    });
    describe('notifications of snapshots', () => {
      withRegistry(makePlace, describeSnapshotNotifications, {
        ...snapshotsEnvironment,
        GLIMPSE_NOTIFICATIONS_DRIVER: 'log',
      });
    });
    describe('the relay of notifications', () => {
      withRegistry(makePlace, describeNotificationRelay, notificationsEnvironment);
    });
    describe('the audit trail', () => {
      withRegistry(makePlace, describeAudit, { GLIMPSE_AUDIT_DENIED_MAX_PER_WINDOW: '3' });
    });
  });
}

function withRegistry(
  makePlace: () => Promise<DatabasePlace>,
  describeFeature: (registry: () => RegistryUnderTest, url: () => string) => void,
  environment: NodeJS.ProcessEnv = {},
): void {
  let place: DatabasePlace;
  let registry: RegistryUnderTest;
  beforeAll(async () => {
    place = await makePlace();
    registry = await startRegistryOn(place.url, environment);
  });
  afterAll(async () => {
    await registry.close();
    await place.remove();
  });
  describeFeature(
    () => registry,
    () => place.url,
  );
}
