import type { IncomingHttpHeaders } from 'node:http';
import type { Caller } from '@glimpse/contracts';

/** Who is calling: everything about a caller but the id of the request. */
export type Identity = Omit<Caller, 'requestId'>;

/** Establishes who is calling. What they may do is the registry's decision. */
export interface Authenticator {
  /** The identity behind the headers of a request; null when there is none that can be trusted. */
  authenticate(headers: IncomingHttpHeaders): Promise<Identity | null> | Identity | null;
}
