/** The headers of our own on messages. Everything else is in the body, since headers are limited to 64 KiB. */
export const headers = {
  attempt: 'x-glimpse-attempt',
  attempts: 'x-glimpse-attempts',
  /** When whoever published it stops waiting, in epoch milliseconds. */
  deadline: 'x-glimpse-deadline',
  diedAt: 'x-glimpse-died-at',
  /**
   * True on a dead letter whose publisher was not trusted: it is not put back in our own name. Earlier releases know this
   * header alone.
   */
  isRefused: 'x-glimpse-refused',
  /** On a dead letter that is not put back: why. */
  notReplayable: 'x-glimpse-not-replayable',
  /** Tells publications on one channel apart, for the broker returns them without a number. */
  publication: 'x-glimpse-publication',
  /** Who published the message that this one is a copy of; only our own users may say so. */
  publisher: 'x-glimpse-publisher',
  queue: 'x-glimpse-queue',
  reason: 'x-glimpse-reason',
} as const;

export const MAX_REASON_LENGTH = 1_000;
