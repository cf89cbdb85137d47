import { counter, gauge, metricNames } from '@glimpse/observability';

const requests = counter({
  name: metricNames.cacheRequests,
  help: 'Downloads that asked the image cache: hit, shared (with a fill under way), fill (the first), miss (a range of what is not there), bypass (may not or cannot be cached).',
  labelNames: ['outcome'],
});
const fills = counter({
  name: metricNames.cacheFills,
  help: 'Images fetched into the cache by what became of them.',
  labelNames: ['outcome'],
});
const evictions = counter({ name: metricNames.cacheEvictions, help: 'Images that had to go for others.' });
const filling = gauge({ name: metricNames.cacheFillsInFlight, help: 'Images being fetched into the cache.' });
const bytes = gauge({
  name: metricNames.cacheBytes,
  help: 'Bytes in the cache, unfinished images included.',
});
const images = gauge({ name: metricNames.cacheImages, help: 'Images in the cache.' });

export type CacheOutcome = 'hit' | 'shared' | 'fill' | 'miss' | 'bypass';
export type FillOutcome = 'kept' | 'mismatch' | 'source-failed' | 'disk-failed' | 'given-up' | 'unwanted';

export const countCacheRequest = (outcome: CacheOutcome): void => requests.inc({ outcome });
export const countFill = (outcome: FillOutcome): void => fills.inc({ outcome });
export const countEvictions = (count: number): void => evictions.inc(count);
export const fillBegins = (): void => filling.inc();
export const fillEnds = (): void => filling.dec();

export function showCacheSize(size: { bytes: number; count: number }): void {
  bytes.set(size.bytes);
  images.set(size.count);
}
