import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '@glimpse/contracts';
import { runInContext, traceparentFrom } from '@glimpse/observability';
import type { Authenticator, Identity } from '../auth/authenticator.js';
import { IdentityRefused } from '../auth/identity-refused.js';
import { baseUrlOf } from './base-url.js';
import { HttpError } from './http-error.js';
import type { RateLimits } from './rate-limits.js';
import { checkRequestIdLength } from './request-id.js';

const UNAUTHORIZED =
  'This server could not verify that you are authorized to access the document you requested. Either you supplied ' +
  'the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials required.';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is calling by now, for a request that takes long; null when that can't be told any more. */
    identifyAgain: () => Promise<Caller | null>;
  }
  interface FastifyContextConfig {
    /** Whether the route needs no token although it is under a version. */
    readonly isOpen?: boolean;
  }
}

export interface RequestHookOptions {
  readonly authenticator: Authenticator;
  readonly allowAnonymousAccess: boolean;
  readonly rateLimits: RateLimits;
  readonly maxRequestIdLength: number;
  /** Where a client gets its token, for WWW-Authenticate. */
  readonly publicEndpoint: string | undefined;
  readonly isStopping: () => boolean;
}

const isUnderVersion = (url: string) => url.startsWith('/v2') && (url.length === 3 || '/?'.includes(url[3]!));

const anonymous: Identity = {
  userId: null,
  projectId: null,
  domainId: null,
  systemScope: null,
  roles: [],
  serviceRoles: [],
  isReadOnly: true,
};

async function identityOf(
  request: FastifyRequest,
  reply: FastifyReply,
  options: RequestHookOptions,
): Promise<Identity> {
  const { authenticator, publicEndpoint } = options;
  let refusal: IdentityRefused | undefined;
  try {
    const identity = await authenticator.authenticate(request.headers, request);
    if (identity !== null) return identity;
  } catch (error) {
    if (!(error instanceof IdentityRefused)) throw error;
    refusal = error;
  }
  // As in Glance: also who sends a token that is not valid.
  if (options.allowAnonymousAccess) return anonymous;
  options.rateLimits.admitUnauthenticated(request, reply);
  const challenge = authenticator.challenge(publicEndpoint ?? baseUrlOf(request.raw), refusal);
  throw new HttpError(401, UNAUTHORIZED, { 'www-authenticate': challenge });
}

/** As `identityOf`, where nobody waits for an explanation. */
async function knownIdentity(
  request: FastifyRequest,
  { authenticator, allowAnonymousAccess }: RequestHookOptions,
): Promise<Identity | null> {
  try {
    const identity = await authenticator.authenticate(request.headers, request);
    if (identity !== null) return identity;
  } catch (error) {
    if (!(error instanceof IdentityRefused)) throw error;
  }
  return allowAnonymousAccess ? anonymous : null;
}

async function identify(
  request: FastifyRequest,
  reply: FastifyReply,
  options: RequestHookOptions,
): Promise<void> {
  const identity = await identityOf(request, reply, options);
  checkRequestIdLength(request.raw, options.maxRequestIdLength);
  reply.header('x-openstack-request-id', request.id);
  const callerBy = (known: Identity): Caller => ({ ...known, requestId: request.id, address: request.ip });
  request.caller = callerBy(identity);
  request.identifyAgain = async () => {
    const known = await knownIdentity(request, options);
    return known === null ? null : callerBy(known);
  };
  options.rateLimits.admit(request, reply, identity);
}

/** First of all: OPTIONS, who is calling, the request's id, and the context that log lines and messages carry. */
export function requestHook(options: RequestHookOptions) {
  return (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void => {
    if (options.isStopping()) reply.header('connection', 'close');
    if (request.method === 'OPTIONS') {
      void reply.code(200).send();
      return;
    }
    const goOn = async () => {
      try {
        if (isUnderVersion(request.url) && request.routeOptions.config.isOpen !== true)
          await identify(request, reply, options);
      } catch (error) {
        done(error as Error);
        return;
      }
      done();
    };
    const context = { requestId: request.id, traceparent: traceparentFrom(request.headers.traceparent) };
    // What comes after a hook with a callback runs in the context in which it is called; after a promise it would not.
    runInContext(context, () => void goOn());
  };
}
