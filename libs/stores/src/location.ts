/** A parsed location URI. `uri` is what goes into the database, exactly. */
export interface Location {
  readonly uri: string;
}

export interface CallOptions {
  /** Ends the call; what it had begun is undone. */
  readonly signal?: AbortSignal;
}
