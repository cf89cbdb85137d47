import { toDatabaseTime } from '@glimpse/persistence';

/** What time it is. Tests set their own. */
export abstract class Clock {
  /** Epoch milliseconds. */
  abstract now(): number;

  /** For Glance's columns. */
  databaseNow(): string {
    return toDatabaseTime(this.now());
  }
}

export class SystemClock extends Clock {
  now(): number {
    return Date.now();
  }
}
