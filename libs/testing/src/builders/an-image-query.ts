import type { ImageQuery } from '@glimpse/contracts';

/** A list request without a filter, with what matters to a test. */
export const anImageQuery = (more: Partial<ImageQuery> = {}): ImageQuery => ({
  limit: 25,
  sort: [],
  tieDirection: 'desc',
  anyOf: [],
  ranges: [],
  times: [],
  memberStatus: 'accepted',
  osHidden: false,
  tags: [],
  properties: {},
  ...more,
});
