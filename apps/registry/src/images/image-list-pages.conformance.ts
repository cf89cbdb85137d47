import type { ImageQuery } from '@glimpse/contracts';
import { beforeAll, describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { type RegistryUnderTest, aCaller, anAdmin } from '../registry-harness.conformance.js';
import {
  type ListedImage,
  aListQuery,
  aViewer,
  expectedList,
  listedImage,
} from './image-list-reference.conformance.js';
import type { Viewer } from './image-list.ways.js';

const IMAGES = 150;
const LIFETIME = { created_at: '2026-01-01 00:00:00', updated_at: null, deleted_at: null };

async function store(registry: RegistryUnderTest, images: readonly ListedImage[]): Promise<void> {
  await registry.insert('images', ...images.map(({ row }) => row));
  const tags = images.flatMap(({ row, tags: own }) =>
    ['x', 'y', 'z'].map((value) => ({
      image_id: row.id,
      value,
      ...LIFETIME,
      // A tag that was removed leaves its row.
      deleted: own.includes(value) ? (0 as const) : (1 as const),
    })),
  );
  const properties = images.flatMap(({ row, properties: own }) =>
    ['os', 'bus'].map((name) => ({
      image_id: row.id,
      name,
      value: own[name] ?? 'a',
      ...LIFETIME,
      deleted: Object.hasOwn(own, name) ? (0 as const) : (1 as const),
    })),
  );
  const members = images.flatMap(({ row, members: own }) =>
    own.map((one) => ({ image_id: row.id, ...one, can_share: 0 as const, ...LIFETIME, deleted: 0 as const })),
  );
  await registry.insert('image_tags', ...tags);
  await registry.insert('image_properties', ...properties);
  await registry.insert('image_members', ...members);
}

const callerOf = ({ isAdmin, projectId }: Viewer) => (isAdmin ? anAdmin(projectId) : aCaller(projectId));

export function describePages(registry: () => RegistryUnderTest): void {
  describe('pages of a list', () => {
    let images: readonly ListedImage[];
    beforeAll(async () => {
      images = fc.sample(
        fc.uniqueArray(listedImage, { minLength: IMAGES, maxLength: IMAGES, selector: ({ row }) => row.id }),
        {
          numRuns: 1,
          seed: 7,
        },
      )[0]!;
      await store(registry(), images);
    });

    async function walk(viewer: Viewer, query: ImageQuery): Promise<{ ids: string[]; counts: Set<unknown> }> {
      const ids: string[] = [];
      const counts = new Set<unknown>();
      for (;;) {
        const marker = ids.at(-1);
        const page = await registry().lists.list(callerOf(viewer), {
          ...query,
          ...(marker === undefined ? {} : { marker }),
        });
        ids.push(...page.images.map(({ id }) => id));
        counts.add(page.count?.value);
        expect(page.isFullPage).toBe(page.images.length === query.limit);
        if (!page.isFullPage) return { ids, counts };
      }
    }

    it('are together what a plain look at all images gives, whoever asks for what in which order', async () => {
      await fc.assert(
        fc.asyncProperty(aViewer, aListQuery, async (viewer, query) => {
          const expected = expectedList(images, viewer, query);

          const { ids, counts } = await walk(viewer, query);

          expect(ids).toEqual(expected);
          expect(counts).toEqual(new Set([expected.length]));
        }),
        { numRuns: 300 },
      );
    });

    it('go on behind any image that the caller sees, be it on the list or not', async () => {
      await fc.assert(
        fc.asyncProperty(aViewer, aListQuery, fc.nat(), async (viewer, query, at) => {
          const everything = {
            ...query,
            anyOf: [],
            prefixes: [],
            ranges: [],
            times: [],
            tags: [],
            properties: {},
            protected: undefined,
          };
          const visible = expectedList(images, viewer, everything);
          fc.pre(visible.length > 0);
          const marker = visible[at % visible.length]!;
          const behind = new Set(visible.slice(visible.indexOf(marker) + 1));

          const page = await registry().lists.list(callerOf(viewer), { ...query, limit: 1000, marker });

          expect(page.images.map(({ id }) => id)).toEqual(
            expectedList(images, viewer, query).filter((id) => behind.has(id)),
          );
        }),
        { numRuns: 200 },
      );
    });
  });
}
