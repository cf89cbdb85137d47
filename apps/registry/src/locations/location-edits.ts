import {
  type Caller,
  type Image,
  type ImageChange,
  NewLocation,
  ServiceError,
  imageEvents,
  storeOf,
} from '@glimpse/contracts';
import { Database, type Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { isDeepStrictEqual } from 'node:util';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { ImageReader } from '../images/image-reader.js';
import { moveImage } from '../images/image-state.js';
import { bestFirst } from '../images/location-order.js';
import type { StoredImage } from '../images/stored-image.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { PolicyEngine } from '../policy/policy.engine.js';
import { ProjectQuotas } from '../quotas/project-quotas.js';
import { RegistrySettings } from '../registry-settings.js';
import { ImageLocations, type RecordedLocation } from './image-locations.js';
import { type DraftLocation, type LocationChange, LocationDraft } from './location-draft.js';
import { LocationProbe, type ProbeOutcome } from './location-probe.js';

type RuleOfChange = 'set_image_location' | 'delete_image_location';

const isOfLocations = (change: ImageChange): change is LocationChange => change.target === 'locations';

const ruleOf = ({ op }: LocationChange): RuleOfChange =>
  op === 'remove' ? 'delete_image_location' : 'set_image_location';

/** The URLs that a change names. */
function urlsIn({ value }: LocationChange): string[] {
  return [value].flat().flatMap((item) => {
    const location = NewLocation.safeParse(item);
    return location.success ? [location.data.url] : [];
  });
}

/** The changes to an image's locations that one PATCH asks for, behind `show_multiple_locations`. */
@Injectable()
export class LocationEdits {
  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly locations: ImageLocations,
    private readonly probe: LocationProbe,
    private readonly policy: PolicyEngine,
    private readonly quotas: ProjectQuotas,
    private readonly outbox: OutboxWriter,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /**
   * What has to be known before the transaction: what is behind the URLs, where the caller may make them the image's.
   * Undefined where no change is about locations. Throws ACTION_FORBIDDEN where the configuration has them invisible.
   */
  async prepare(ctx: Caller, id: string, changes: readonly ImageChange[]): Promise<LocationEdit | undefined> {
    const wanted = changes.filter(isOfLocations);
    if (wanted.length === 0) return undefined;
    if (!this.settings.config.images.showMultipleLocations)
      throw new ServiceError(
        'ACTION_FORBIDDEN',
        "It's not allowed to change locations if they are invisible.",
      );
    const probes = await this.probeAll(ctx, id, [...new Set(wanted.flatMap(urlsIn))]);
    const rules = new Set(wanted.map(ruleOf));
    return new LocationEdit(this, { ctx, imageId: id, rules: [...rules], probes });
  }

  /** Nobody's URL is opened before it is known that they may use it, nor more URLs than an image may have. */
  private async probeAll(
    ctx: Caller,
    id: string,
    urls: readonly string[],
  ): Promise<Map<string, ProbeOutcome>> {
    const stored = await this.reader.find(id);
    if (stored === undefined || !['active', 'queued'].includes(stored.image.status)) return new Map();
    const mayNot = await this.policy
      .enforceOnOwnImage(this.database, 'set_image_location', ctx, stored.image)
      .then(
        () => false,
        () => true,
      );
    if (mayNot) return new Map();
    const isKnown = (url: string) => stored.locations.some((location) => location.url === url);
    const unknown = urls.filter((url) => !isKnown(url));
    const quota = this.settings.config.limits.locationQuota;
    if (quota >= 0 && unknown.length > quota) return new Map();
    return new Map(await Promise.all(urls.map(async (url) => [url, await this.probe.probe(url)] as const)));
  }

  async admit(
    tx: Transaction,
    ctx: Caller,
    imageId: string,
    probes: ReadonlyMap<string, ProbeOutcome>,
  ): Promise<void> {
    const sizes = [...probes.values()].map((outcome) => (outcome instanceof ServiceError ? 0 : outcome.size));
    const size = sizes.reduce((sum, one) => sum + one, 0);
    if (size > 0) await this.quotas.admitStored(tx, ctx, imageId, size);
  }

  async begin(
    tx: Transaction,
    ctx: Caller,
    { image }: StoredImage,
    rules: readonly RuleOfChange[],
  ): Promise<RecordedLocation[]> {
    for (const rule of rules) await this.policy.enforceOnOwnImage(tx, rule, ctx, image);
    // Only a change that makes the image active comes to its end; any other is refused.
    if (image.status === 'queued') await this.locations.forgetUnverified(tx, image.id);
    const recorded = await this.locations.find(tx, image.id);
    // What is out of service is not shown, and so not edited.
    return recorded.filter(({ isDamaged }) => !isDamaged);
  }

  draftOf(recorded: readonly RecordedLocation[], probes: ReadonlyMap<string, ProbeOutcome>): LocationDraft {
    const { config } = this.settings;
    return new LocationDraft(recorded, {
      locationQuota: config.limits.locationQuota,
      hashingAlgorithm: config.images.hashingAlgorithm,
      isMultiStore: config.isMultiStore,
      probed: (url) => {
        const outcome = probes.get(url);
        // It was not looked at: the image was another one a moment ago.
        if (outcome === undefined)
          throw new ServiceError(
            'IMAGE_STATUS_CONFLICT',
            'The image was changed in the meantime; try again.',
          );
        if (outcome instanceof ServiceError) throw outcome;
        return outcome;
      },
    });
  }

  /** Writes what is different, and the status that it brings. */
  async save(
    tx: Transaction,
    ctx: Caller,
    change: {
      before: Image;
      after: Image;
      recorded: readonly RecordedLocation[];
      draft: readonly DraftLocation[];
    },
  ): Promise<StoredImage> {
    const { before, after, recorded, draft } = change;
    const kept = new Set(draft.map(({ rowId }) => rowId));
    const removed = recorded.filter(({ rowId }) => !kept.has(rowId));
    const added = draft.filter(({ rowId }) => rowId === undefined);
    await this.assertNotDamaged(tx, before.id, added);
    await this.locations.remove(tx, before.id, removed);
    for (const location of added) await this.locations.add(tx, before.id, location);
    for (const location of recorded) {
      const edited = draft.find(({ rowId }) => rowId === location.rowId);
      if (edited !== undefined && !isDeepStrictEqual(edited.metadata, location.metadata))
        await this.locations.setMetadata(tx, location.rowId, edited.metadata);
    }
    const action = added.length > 0 ? 'create' : removed.length > 0 ? 'delete' : 'update';
    await this.audit.changed(tx, ctx, { action, on: 'location', id: before.id });
    return this.activate(tx, before, after, draft);
  }

  /** The same data under another row would be served again. */
  private async assertNotDamaged(
    tx: Transaction,
    imageId: string,
    added: readonly DraftLocation[],
  ): Promise<void> {
    if (added.length === 0) return;
    const recorded = await this.locations.find(tx, imageId);
    if (recorded.some(({ isDamaged, url }) => isDamaged && added.some((location) => location.url === url)))
      throw new ServiceError('REQUEST_INVALID', 'Invalid location: the data there was found to be damaged.');
  }

  private async activate(
    tx: Transaction,
    before: Image,
    after: Image,
    draft: readonly DraftLocation[],
  ): Promise<StoredImage> {
    const locations = bestFirst(draft, this.settings.config).map(({ url, metadata }) => ({ url, metadata }));
    const stores = locations.map(storeOf).filter((store) => store !== undefined);
    const image = { ...after, stores: [...new Set(stores)] };
    if (before.status === 'queued' && after.status === 'active') {
      const { size, checksum, osHashAlgo, osHashValue } = after;
      await moveImage(tx, before.id, {
        from: 'queued',
        to: 'active',
        now: this.clock.databaseNow(),
        set: { size, checksum, os_hash_algo: osHashAlgo, os_hash_value: osHashValue },
      });
      // What follows is told as one change.
      const options = { isNotified: false };
      await this.outbox.write(tx, imageEvents.activated, before.id, { image }, options);
    }
    return { image, locations, damaged: [] };
  }
}

interface EditRequest {
  readonly ctx: Caller;
  readonly imageId: string;
  readonly rules: readonly RuleOfChange[];
  readonly probes: ReadonlyMap<string, ProbeOutcome>;
}

/** The changes of locations of one PATCH, through its transaction. A transaction that is run again begins it anew. */
export class LocationEdit {
  private recorded: readonly RecordedLocation[] = [];
  private draft: LocationDraft | undefined;

  constructor(
    private readonly edits: LocationEdits,
    private readonly request: EditRequest,
  ) {}

  /** Before the image is held: lets the data count as the project's. Throws QUOTA_EXCEEDED. */
  admit(tx: Transaction): Promise<void> {
    const { ctx, imageId, probes } = this.request;
    return this.edits.admit(tx, ctx, imageId, probes);
  }

  /** When the image is held. Throws where the caller may not change its locations so. */
  async begin(tx: Transaction, stored: StoredImage): Promise<void> {
    const { ctx, rules, probes } = this.request;
    this.recorded = await this.edits.begin(tx, ctx, stored, rules);
    this.draft = this.edits.draftOf(this.recorded, probes);
  }

  /** One change, in its turn; throws where it is not allowed. */
  apply(image: Image, change: LocationChange): void {
    this.started.apply(image, change);
  }

  /** Saves what the changes came to; answers with the image and its locations. */
  save(tx: Transaction, before: Image, after: Image): Promise<StoredImage> {
    const draft = this.started.locations;
    return this.edits.save(tx, this.request.ctx, { before, after, recorded: this.recorded, draft });
  }

  private get started(): LocationDraft {
    if (this.draft === undefined) throw new Error('The edit of locations has not begun');
    return this.draft;
  }
}
