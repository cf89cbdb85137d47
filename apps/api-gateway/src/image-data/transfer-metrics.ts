import { counter, gauge, metricNames } from '@glimpse/observability';

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

/** Counts a transfer that has ended: `outcome` is `ok`, `redirected` (to the store) or an error code. */
export function countTransfer(direction: 'in' | 'out', outcome: string, bytes = 0): void {
  transfers.inc({ direction, outcome });
  transferBytes.inc({ direction }, bytes);
}

const inFlight = gauge({
  name: metricNames.transfersInFlight,
  help: 'Image data transfers through the API that go on.',
  labelNames: ['direction'],
});

/** Counts a transfer among those that go on, while `work` does. */
export async function whileTransferring<T>(direction: 'in' | 'out', work: () => Promise<T>): Promise<T> {
  inFlight.inc({ direction });
  try {
    return await work();
  } finally {
    inFlight.dec({ direction });
  }
}
