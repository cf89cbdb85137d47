import type { Image } from '@glimpse/contracts';

/** An image that waits for its data, with what matters to a test. */
export const anImage = (more: Partial<Image> = {}): Image => ({
  id: 'i1',
  name: null,
  status: 'queued',
  visibility: 'shared',
  protected: false,
  osHidden: false,
  owner: 'p1',
  diskFormat: 'raw',
  containerFormat: 'bare',
  size: null,
  virtualSize: null,
  checksum: null,
  osHashAlgo: null,
  osHashValue: null,
  minRam: 0,
  minDisk: 0,
  createdAt: '2020-01-01T00:00:00Z',
  updatedAt: '2020-01-01T00:00:00Z',
  tags: [],
  properties: {},
  stores: [],
  ...more,
});
