/** The headers of our own on messages. Everything else is in the body, since headers are limited to 64 KiB. */
export const headers = {
  attempt: 'x-glimpse-attempt',
  attempts: 'x-glimpse-attempts',
  diedAt: 'x-glimpse-died-at',
  queue: 'x-glimpse-queue',
  reason: 'x-glimpse-reason',
  /** On a dead letter whose publisher was not trusted: it is not put back in our own name. */
  isRefused: 'x-glimpse-refused',
} as const;

export const MAX_REASON_LENGTH = 1_000;
