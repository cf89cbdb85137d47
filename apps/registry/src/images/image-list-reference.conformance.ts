import { type ImageQuery, type Visibility, sortKeys, visibilities } from '@glimpse/contracts';
import type { ImageRow } from '@glimpse/persistence';
import * as fc from 'fast-check';
import type { Viewer } from './image-list.ways.js';

/** An image as a list looks at it, with everything that belongs to it. */
export interface ListedImage {
  readonly row: ImageRow;
  readonly tags: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  readonly members: readonly { readonly member: string; readonly status: string }[];
}

const projects = ['p1', 'p2', 'p3'] as const;
const times = ['2026-01-01 00:00:00', '2026-01-02 00:00:00', '2026-01-03 12:00:00'];
// No two of them are equal, or in another order, in one collation and not in another.
const names = ['', '0', 'a', 'ab', 'b'];
const formats = ['', 'qcow2', 'raw'];
const statuses = ['queued', 'active', 'deactivated', 'killed'];
const tags = ['x', 'y'];

/** Few values, so that images tie and filters match. */
export const listedImage: fc.Arbitrary<ListedImage> = fc
  .record({
    id: fc.uuid(),
    name: fc.option(fc.constantFrom(...names)),
    disk_format: fc.option(fc.constantFrom(...formats)),
    container_format: fc.option(fc.constantFrom(...formats)),
    size: fc.option(fc.constantFrom(0, 1, 7)),
    status: fc.constantFrom('queued', 'active', 'active', 'deactivated', 'killed'),
    visibility: fc.constantFrom(...visibilities),
    owner: fc.option(fc.constantFrom(...projects)),
    protected: fc.constantFrom(0 as const, 1 as const),
    os_hidden: fc.constantFrom(0 as const, 0 as const, 0 as const, 1 as const),
    deleted: fc.constantFrom(0 as const, 0 as const, 0 as const, 0 as const, 1 as const),
    min_ram: fc.constantFrom(0, 5),
    created_at: fc.constantFrom(...times),
    updated_at: fc.option(fc.constantFrom(...times), { freq: 8 }),
    tags: fc.subarray(tags),
    properties: fc.dictionary(fc.constantFrom('os', 'bus'), fc.constantFrom('a', 'b', 'ab')),
    members: fc.array(
      fc.record({
        member: fc.constantFrom(...projects),
        status: fc.constantFrom('pending', 'accepted', 'accepted', 'rejected'),
      }),
      { maxLength: 3 },
    ),
  })
  .map(({ tags: imageTags, properties, members, ...row }) => ({
    row: {
      ...row,
      virtual_size: null,
      checksum: null,
      os_hash_algo: null,
      os_hash_value: null,
      min_disk: 0,
      deleted_at: null,
    },
    tags: imageTags,
    properties,
    members,
  }));

export const aViewer: fc.Arbitrary<Viewer> = fc.record({
  isAdmin: fc.boolean(),
  projectId: fc.option(fc.constantFrom(...projects), { freq: 6 }),
});

const maybe = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant<T[]>([]) }, fc.array(value, { minLength: 1, maxLength: 1 }));
const direction = fc.constantFrom('asc' as const, 'desc' as const);

const aTimeFilter = fc.record({
  column: fc.constantFrom('created_at' as const, 'updated_at' as const),
  operator: fc.constantFrom('gt' as const, 'gte' as const, 'lt' as const, 'lte' as const, 'neq' as const),
  value: fc.constantFrom(...times.map((time) => `${time.replace(' ', 'T')}Z`)),
});

export const aListQuery: fc.Arbitrary<ImageQuery> = fc.record({
  limit: fc.integer({ min: 1, max: 40 }),
  sort: fc.array(fc.record({ key: fc.constantFrom(...sortKeys), direction }), { maxLength: 2 }),
  tieDirection: direction,
  anyOf: maybe(
    fc.oneof(
      fc.record({ column: fc.constant('name' as const), values: fc.subarray(names, { minLength: 1 }) }),
      fc.record({ column: fc.constant('status' as const), values: fc.subarray(statuses, { minLength: 1 }) }),
      fc.record({
        column: fc.constant('owner' as const),
        values: fc.subarray([...projects], { minLength: 1 }),
      }),
      fc.record({
        column: fc.constant('size' as const),
        values: fc.subarray(['x', '1', '7'], { minLength: 1 }),
      }),
    ),
  ),
  prefixes: maybe(
    fc.record({ column: fc.constant('name' as const), prefix: fc.constantFrom('', 'a', 'A', '%') }),
  ),
  ranges: maybe(fc.record({ column: fc.constant('size' as const), min: fc.constantFrom(0, 1, 8) })),
  // As one filter, and as so many that the statement has another form.
  times: fc.oneof(
    { weight: 5, arbitrary: maybe(aTimeFilter) },
    aTimeFilter.map((filter) => Array.from({ length: 25 }, () => filter)),
  ),
  visibility: fc.option(fc.constantFrom(...visibilities, 'all' as const), { nil: undefined }),
  memberStatus: fc.constantFrom('accepted' as const, 'accepted' as const, 'pending' as const, 'all' as const),
  osHidden: fc.constantFrom(false, false, false, true),
  protected: fc.option(fc.boolean(), { nil: undefined, freq: 1 }),
  tags: fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, fc.subarray(tags)),
  properties: fc.oneof(
    { weight: 3, arbitrary: fc.constant<Record<string, string>>({}) },
    fc.dictionary(fc.constantFrom('os', 'bus'), fc.constantFrom('a', 'b')),
  ),
  isCounted: fc.constant(true),
});

function appears({ row, members }: ListedImage, viewer: Viewer, query: ImageQuery): boolean {
  const isOwn = row.owner !== null && row.owner === viewer.projectId;
  const wanted = query.visibility;
  if (wanted !== undefined && wanted !== 'all' && row.visibility !== wanted) return false;
  if (row.visibility === 'community' && wanted === undefined) return isOwn;
  if (viewer.isAdmin || isOwn) return true;
  if (row.visibility === 'public' || row.visibility === 'community') return true;
  const isMember = members.some(
    ({ member, status }) =>
      member === viewer.projectId && (query.memberStatus === 'all' || status === query.memberStatus),
  );
  return row.visibility === ('shared' satisfies Visibility) && isMember;
}

const compare = (a: string | number, b: string | number) => (a < b ? -1 : a > b ? 1 : 0);

const holds: Record<ImageQuery['times'][number]['operator'], (order: number) => boolean> = {
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
  eq: (order) => order === 0,
  neq: (order) => order !== 0,
};

function matches({ row, tags: own, properties }: ListedImage, query: ImageQuery): boolean {
  const conditions = [
    row.deleted === 0 && row.status !== 'killed' && row.os_hidden === (query.osHidden ? 1 : 0),
    query.protected === undefined || row.protected === (query.protected ? 1 : 0),
    query.anyOf.every(({ column, values }) => row[column] !== null && values.includes(String(row[column]))),
    (query.prefixes ?? []).every(
      ({ column, prefix }) => row[column]?.toLowerCase().startsWith(prefix.toLowerCase()) === true,
    ),
    query.ranges.every(({ column, min }) => {
      const value = row[column];
      return value !== null && value >= (min ?? 0);
    }),
    query.times.every(({ column, operator, value }) => {
      const time = row[column];
      return time !== null && holds[operator](compare(time, value.replace('T', ' ').replace('Z', '')));
    }),
    query.tags.every((tag) => own.includes(tag)),
    Object.entries(query.properties).every(([name, value]) => properties[name] === value),
  ];
  return conditions.every(Boolean);
}

/** The ids of all images of a list, in their order: what the pages must be, written down without a thought for speed. */
export function expectedList(images: readonly ListedImage[], viewer: Viewer, query: ImageQuery): string[] {
  const ties = (['created_at', 'id'] as const).map((key) => ({ key, direction: query.tieDirection }));
  const valueOf = (row: ImageRow, key: (typeof sortKeys)[number]) => row[key] ?? (key === 'size' ? 0 : '');
  return images
    .filter((image) => appears(image, viewer, query) && matches(image, query))
    .toSorted(({ row: a }, { row: b }) => {
      for (const { key, direction: way } of [...query.sort, ...ties]) {
        const order = compare(valueOf(a, key), valueOf(b, key));
        if (order !== 0) return way === 'asc' ? order : -order;
      }
      return 0;
    })
    .map(({ row }) => row.id);
}
