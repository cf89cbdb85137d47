import type { IncomingHttpHeaders } from 'node:http';
import type { Caller, ProjectLimits } from '@glimpse/contracts';
import type { IdentityRefused } from './identity-refused.js';
import type { RemoteService, ServicePlace } from './remote-service.js';

/** Who is calling: everything about a caller but the id of the request. */
export type Identity = Omit<Caller, 'requestId'>;

/** What a request asks for, which some tokens are bound to. */
export interface RequestLine {
  readonly method: string;
  /** As it is routed: every version of the API is `/v2` there. */
  readonly url: string;
  /** As it was sent. */
  readonly originalUrl: string;
}

/** Establishes who is calling. What they may do is the registry's decision. */
export interface Authenticator {
  /**
   * The identity behind the headers of a request; null when there is none that can be trusted. Rejects with
   * `IdentityRefused` where there is a reason to be told, and with a retryable `ServiceError` when it can't be known now.
   */
  authenticate(
    headers: IncomingHttpHeaders,
    request: RequestLine,
  ): Promise<Identity | null> | Identity | null;
  /** `WWW-Authenticate` of a 401, at a service that its clients reach at `baseUrl`. */
  challenge(baseUrl: string, refusal?: IdentityRefused): string;
  /** The image service of another place, by the catalogue of whoever sent the headers; undefined where that has none. */
  findImageService?(headers: IncomingHttpHeaders, place: ServicePlace): Promise<RemoteService | undefined>;
  /** The limits of a project, where the identity service keeps them. Rejects with a retryable error while they can't be known. */
  limitsOf?(projectId: string): Promise<ProjectLimits | undefined>;
  close?(): Promise<void>;
}
