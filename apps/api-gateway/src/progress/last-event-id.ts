/** The id of the last event of a stream that came to its end. */
export const END_EVENT_ID = 'end';

/** How long ended transfers are shown to who comes new. */
const SHOWN_FOR_MS = 60_000;
/** The end of an upload is known for an hour. */
const KNOWN_FOR_MS = 3_600_000;
/** The clocks of the services differ a little. */
const SLACK_MS = 5_000;

/** What a client that connects has seen of the stream before. */
export interface SeenBefore {
  /** Epoch milliseconds: ends of transfers after this are to be shown. */
  readonly endedSince: number;
  /** It was connected before, and broke off. */
  readonly isResumed: boolean;
  /** It has seen the end. */
  readonly sawEnd: boolean;
}

/** By the header `Last-Event-ID`: an id is the time of its event, in epoch milliseconds. One that is none counts for nothing. */
export function seenBefore(header: string | undefined, nowMs: number): SeenBefore {
  const isTime = header !== undefined && /^\d{1,15}$/.test(header);
  const endedSince = isTime
    ? Math.min(nowMs, Math.max(Number(header) - SLACK_MS, nowMs - KNOWN_FOR_MS))
    : nowMs - SHOWN_FOR_MS;
  return { endedSince, isResumed: isTime, sawEnd: header === END_EVENT_ID };
}
