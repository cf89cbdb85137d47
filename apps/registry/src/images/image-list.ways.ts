import type { ImageQuery, Visibility } from '@glimpse/contracts';
import { exactly, placeholders } from '@glimpse/persistence';
import type { Condition } from './image-list.filters.js';

/** Who is asking, as far as it decides which images appear. */
export interface Viewer {
  readonly isAdmin: boolean;
  readonly projectId: string | null;
}

/** One of the ways in which an image may appear to a viewer. No image appears in two. */
export interface Way {
  readonly condition: Condition;
  /**
   * The sort keys that an index has these images in the order of. There may be too many of a visibility to look at them
   * all for a page, so those come in every order. What one project owns comes in the order of its making, and is
   * else gathered and sorted, as what is shared with it always is.
   */
  readonly inOrderOf: 'every key' | 'created_at' | 'none';
}

const ofVisibility = (visibility: Visibility): Way => ({
  condition: { sql: 'i.visibility = ?', values: [visibility] },
  inOrderOf: 'every key',
});

function ownedBy(projectId: string, ...visibilities: Visibility[]): Way {
  const own = exactly('i.owner', projectId);
  return {
    condition: {
      sql: `${own.sql} AND i.visibility IN (${placeholders(visibilities)})`,
      values: [...own.values, ...visibilities],
    },
    inOrderOf: 'created_at',
  };
}

/** Shared with the project by somebody else. */
function sharedWith(projectId: string, memberStatus: ImageQuery['memberStatus']): Way {
  const ofStatus = memberStatus === 'all' ? '' : ' AND m.status = ?';
  const own = exactly('i.owner', projectId);
  const member = exactly('m.member', projectId);
  return {
    condition: {
      sql: `i.visibility = 'shared' AND (i.owner IS NULL OR NOT ${own.sql}) AND i.id IN (
      SELECT m.image_id FROM image_members m WHERE ${member.sql} AND m.deleted = 0${ofStatus})`,
      values: [...own.values, ...member.values, ...(memberStatus === 'all' ? [] : [memberStatus])],
    },
    inOrderOf: 'none',
  };
}

/** spec/api-images.md section 5.4. */
export function waysToAppear(query: ImageQuery, viewer: Viewer): Way[] {
  const { visibility, memberStatus } = query;
  if (visibility === '') return [];
  if (viewer.isAdmin) return adminsWays(visibility, viewer.projectId);
  const open: Visibility[] = visibility === undefined ? ['public'] : ['public', 'community'];
  const wanted = (one: Visibility) => visibility === undefined || visibility === 'all' || visibility === one;
  const ways = open.filter(wanted).map((one) => ofVisibility(one));
  const { projectId } = viewer;
  if (projectId === null) return ways;
  const hidden: Visibility[] = ['private', 'shared'];
  const own = (visibility === undefined ? [...hidden, 'community' as const] : hidden).filter(wanted);
  if (own.length > 0) ways.push(ownedBy(projectId, ...own));
  if (own.includes('shared')) ways.push(sharedWith(projectId, memberStatus));
  return ways;
}

function adminsWays(visibility: Exclude<ImageQuery['visibility'], ''>, projectId: string | null): Way[] {
  if (visibility === 'all') return (['public', 'private', 'shared', 'community'] as const).map(ofVisibility);
  if (visibility !== undefined) return [ofVisibility(visibility)];
  const ways = (['public', 'private', 'shared'] as const).map(ofVisibility);
  return projectId === null ? ways : [...ways, ownedBy(projectId, 'community')];
}

/** All of the ways as one. */
export const eitherOf = (ways: readonly Way[]): Way => ({
  condition: {
    sql: `(${ways.map(({ condition }) => `(${condition.sql})`).join(' OR ')})`,
    values: ways.flatMap(({ condition }) => condition.values),
  },
  inOrderOf: 'none',
});
