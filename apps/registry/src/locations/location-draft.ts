import {
  type Image,
  type ImageChange,
  type ImageLocation,
  NewLocation,
  type ProbedLocation,
  ServiceError,
  isStorableText,
  storeOf,
  withoutCredentials,
} from '@glimpse/contracts';
import { isDeepStrictEqual } from 'node:util';
import { checkQuota, checkValue } from '../images/image-values.js';
import type { RecordedLocation } from './image-locations.js';
import { checkValidationData } from './validation-data.js';

export type LocationChange = Extract<ImageChange, { target: 'locations' }>;

/** What the rules of a change of locations depend on beside the image. */
export interface LocationRules {
  /** Locations of an image; negative for any number. */
  readonly locationQuota: number;
  readonly hashingAlgorithm: string;
  /** Whether locations name their store. */
  readonly isMultiStore: boolean;
  /** What is behind a URL; throws where there is nothing that could be an image's. */
  readonly probed: (url: string) => ProbedLocation;
}

/** A location of a draft; one that is new has no row. */
export interface DraftLocation extends ImageLocation {
  readonly rowId?: number;
}

const invalid = (message: string) => new ServiceError('IMAGE_INVALID', message);

const isSame = (one: ImageLocation, other: ImageLocation) =>
  one.url === other.url && isDeepStrictEqual(one.metadata, other.metadata);

const validLocation = NewLocation.refine(
  ({ url }) => isStorableText(url),
  'the URL has characters that cannot be stored',
);

const parse = (value: unknown) => checkValue('locations', validLocation, value);

/** An image's locations while a PATCH changes them (spec/api-images.md section 9.1). */
export class LocationDraft {
  private readonly list: DraftLocation[];

  constructor(
    recorded: readonly RecordedLocation[],
    private readonly rules: LocationRules,
  ) {
    this.list = [...recorded];
  }

  get locations(): readonly DraftLocation[] {
    return this.list;
  }

  /** Makes one change; `image` is the draft of the image, which the first location makes active. Throws. */
  apply(image: Image, { op, position, value }: LocationChange): void {
    if (op === 'remove') this.remove(image, position ?? '');
    else if (op === 'replace') this.replace(image, value);
    else this.add(image, position ?? '', parse(value));
  }

  private add(image: Image, position: string, location: NewLocation): void {
    refuseUnless(['active', 'queued'], image, 'add');
    const validated = checkValidationData(image, [location], this.rules.hashingAlgorithm);
    const at = indexIn(position, this.list.length);
    if (at === undefined) throw invalid('Invalid position for adding a location.');
    checkQuota('locations', this.list.length + 1, this.rules.locationQuota);
    const { size, added } = this.toNew(location);
    this.list.splice(at, 0, added);
    this.activate(image, size, validated);
  }

  private replace(image: Image, value: unknown): void {
    if (!Array.isArray(value)) throw invalid('Locations are a list.');
    if (value.length === 0) throw new ServiceError('LOCATION_IS_LAST', 'Cannot set locations to empty list.');
    refuseUnless(['active', 'queued'], image, 'replace');
    const wanted = value.map(parse);
    const validated = checkValidationData(image, wanted, this.rules.hashingAlgorithm);
    if (this.list.length > 0) {
      this.editMetadata(wanted);
      return;
    }
    checkQuota('locations', wanted.length, this.rules.locationQuota);
    const sizes = wanted.map((location) => {
      const { size, added } = this.toNew(location);
      this.list.push(added);
      return size;
    });
    this.activate(image, sizes[0] ?? 0, validated);
  }

  private remove(image: Image, position: string): void {
    refuseUnless(['active'], image, 'remove');
    if (this.list.length === 1)
      throw new ServiceError('LOCATION_IS_LAST', 'Cannot remove last location in the image.');
    const last = this.list.length - 1;
    const at = position === '-' ? last : indexIn(position, Number.POSITIVE_INFINITY);
    if (at === undefined || at > last || last < 0) throw invalid('Invalid position for removing a location.');
    this.list.splice(at, 1);
  }

  /** The same URLs as before, with other metadata. A URL may be given as it was shown. */
  private editMetadata(wanted: readonly NewLocation[]): void {
    const left = [...this.list];
    const edited = wanted.map(({ url, metadata }) => {
      const exact = left.findIndex((location) => location.url === url);
      const at =
        exact === -1 ? left.findIndex((location) => withoutCredentials(location.url) === url) : exact;
      const [current] = at === -1 ? [] : left.splice(at, 1);
      if (current === undefined)
        throw invalid('Locations can not be replaced by others: add and remove them.');
      const store = storeOf(current);
      return {
        ...current,
        metadata: { ...ownMetadata(metadata), ...(store === undefined ? {} : { store }) },
      };
    });
    if (left.length > 0) throw invalid('Locations can not be replaced by others: add and remove them.');
    this.list.splice(0, this.list.length, ...edited);
  }

  private toNew({ url, metadata }: NewLocation): { size: number; added: DraftLocation } {
    const { size, storeId } = this.rules.probed(url);
    const added = {
      url,
      metadata: { ...ownMetadata(metadata), ...(this.rules.isMultiStore ? { store: storeId } : {}) },
    };
    if (this.list.some((location) => isSame(location, added)))
      throw invalid('The location is there already.');
    return { size, added };
  }

  private activate(image: Image, size: number, validated: Partial<Image>): void {
    if (image.status !== 'queued') return;
    if (image.diskFormat === null || image.containerFormat === null)
      throw new ServiceError(
        'IMAGE_FORMATS_MISSING',
        'Properties disk_format, container_format must be set prior to saving data.',
      );
    Object.assign(image, validated, { status: 'active', size });
  }
}

/** Which store holds the data is the service's to say. */
function ownMetadata({ store: _store, backend: _backend, ...metadata }: Record<string, unknown>) {
  return metadata;
}

/** The index that a pointer means, at most `end`; undefined where it is none. */
function indexIn(position: string, end: number): number | undefined {
  if (position === '-') return end;
  return /^\d+$/.test(position) ? Math.min(Number(position), end) : undefined;
}

function refuseUnless(statuses: readonly Image['status'][], { status }: Image, what: string): void {
  if (!statuses.includes(status))
    throw new ServiceError(
      'IMAGE_STATUS_CONFLICT',
      `It's not allowed to ${what} locations if image status is ${status}.`,
    );
}
