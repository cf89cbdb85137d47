import { type Transfer, secondsLeft } from '@glimpse/contracts';

const MEBIBYTE = 1_048_576;
const inMebibytes = (bytes: number) => (bytes / MEBIBYTE).toFixed(1);

const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

function timeLeft(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}

/**
 * How far the work has come, for people: `Downloading: 12.5 of 100.0 MiB (12 %), 3.4 MiB/s, 26 s left`, or `Waiting for
 * attempt 2, after: The store does not answer`.
 */
export function describeTransfer(transfer: Transfer): string {
  const { phase, bytesDone, bytesTotal, bytesPerSecond, attempt, lastError } = transfer;
  if (phase === 'waiting' && lastError !== null)
    return `Waiting for attempt ${attempt + 1}, after: ${lastError}`;
  if (phase === 'waiting' || (bytesDone === 0 && bytesTotal === null)) return capitalized(phase);
  const left = secondsLeft(transfer);
  const parts = [
    bytesTotal === null
      ? `${inMebibytes(bytesDone)} MiB`
      : `${inMebibytes(bytesDone)} of ${inMebibytes(bytesTotal)} MiB${percentOf(bytesDone, bytesTotal)}`,
    ...(bytesPerSecond == null ? [] : [`${inMebibytes(bytesPerSecond)} MiB/s`]),
    ...(left === null ? [] : [`${timeLeft(left)} left`]),
  ];
  return `${capitalized(phase)}: ${parts.join(', ')}`;
}

const percentOf = (done: number, total: number) =>
  total === 0 ? '' : ` (${Math.min(100, Math.floor((done * 100) / total))} %)`;
