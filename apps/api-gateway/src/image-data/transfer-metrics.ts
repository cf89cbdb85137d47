import { counter, metricNames } from '@glimpse/observability';

const transfers = counter({
  name: metricNames.transfers,
  help: 'Image data transfers through the API.',
  labelNames: ['direction', 'outcome'],
});
const transferBytes = counter({
  name: metricNames.transferBytes,
  help: 'Bytes of image data that went through the API.',
  labelNames: ['direction'],
});

/** Counts a transfer that has ended: `outcome` is `ok` or an error code. */
export function countTransfer(direction: 'in' | 'out', outcome: string, bytes = 0): void {
  transfers.inc({ direction, outcome });
  transferBytes.inc({ direction }, bytes);
}
