/** A message that could not be handled. */
export interface DeadLetter {
  /** The event's id. */
  readonly id: string;
  /** The event's name, as far as it is known. */
  readonly name: string | null;
  /** The queue it was taken from, and goes back to. */
  readonly queue: string;
  readonly reason: string;
  /** Deliveries before it was given up. */
  readonly attempts: number;
  /** ISO 8601, UTC. */
  readonly diedAt: string | null;
  /** Why it is not put back; null where it can be. */
  readonly notReplayable: string | null;
  /** As it was received. */
  readonly body: string;
}

/** Which dead letters are meant. */
export type DeadLetterSelection = 'all' | { readonly ids: readonly string[] };

/** What became of dead letters that were to be put back. */
export interface Replay {
  readonly replayed: number;
  /** Those that stay where they are, and why. */
  readonly left: readonly { readonly id: string; readonly reason: string }[];
}

/** The messages that were given up. */
export interface DeadLetters {
  /** The oldest `limit` of them; they stay where they are. */
  list(limit: number): Promise<DeadLetter[]>;
  /** Puts them back into their queues as if they were new. What can't be put back stays. */
  replay(selection: DeadLetterSelection): Promise<Replay>;
}
