import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '@glimpse/config';
import { counter, metricNames } from '@glimpse/observability';
import type { Identity } from '../auth/authenticator.js';
import { HttpError } from './http-error.js';
import { TokenBuckets } from './token-buckets.js';

type Kind = 'reads' | 'changes' | 'data' | 'unauthenticated';
const kinds: readonly Kind[] = ['reads', 'changes', 'data', 'unauthenticated'];

/** Projects, or addresses, that are remembered for each kind of request. */
const MAX_KEYS = 50_000;

const limited = counter({
  name: metricNames.rateLimited,
  help: 'Requests that were refused because too many came.',
  labelNames: ['kind'],
});

interface Limit {
  readonly burst: number;
  readonly policy: string;
  readonly buckets: TokenBuckets;
}

const DATA = /^\/v2\/images\/[^/?]+\/(file|stage)(\?|$)/;

function kindOf({ method, url }: FastifyRequest): Kind {
  if (DATA.test(url)) return 'data';
  return method === 'GET' || method === 'HEAD' ? 'reads' : 'changes';
}

/** Limits how many requests of one project, or of one address without an identity, this gateway takes. */
export class RateLimits {
  private readonly limits: ReadonlyMap<Kind, Limit>;
  private readonly exemptRoles: ReadonlySet<string>;

  constructor(options: Config['rateLimits'], nowMs?: () => number) {
    this.exemptRoles = new Set(options.exemptRoles.map((role) => role.toLowerCase()));
    const configured = kinds.filter((kind) => options[kind].perMinute > 0);
    this.limits = new Map(
      configured.map((kind) => {
        const { perMinute, burst: configuredBurst } = options[kind];
        const burst = configuredBurst === 0 ? perMinute : configuredBurst;
        return [
          kind,
          {
            burst,
            policy: `${perMinute};w=60;burst=${burst};comment="${kind}"`,
            buckets: new TokenBuckets(perMinute, burst, MAX_KEYS, nowMs),
          },
        ];
      }),
    );
  }

  /** Counts a request of a project. Throws a 429 when it is one too many. */
  admit(request: FastifyRequest, reply: FastifyReply, identity: Identity): void {
    if (identity.isReadOnly) return this.admitUnauthenticated(request, reply);
    if ([...identity.roles, ...identity.serviceRoles].some((role) => this.exemptRoles.has(role))) return;
    this.take(kindOf(request), identity.projectId ?? `user ${identity.userId}`, reply);
  }

  /** Counts a request of an address that did not say, or could not prove, who it is. */
  admitUnauthenticated(request: FastifyRequest, reply: FastifyReply): void {
    this.take('unauthenticated', request.ip, reply);
  }

  private take(kind: Kind, key: string, reply: FastifyReply): void {
    const limit = this.limits.get(kind);
    if (limit === undefined) return;
    const state = limit.buckets.take(key);
    reply.headers({
      'ratelimit-limit': limit.burst,
      'ratelimit-remaining': state.remaining,
      'ratelimit-reset': state.resetSeconds,
      'ratelimit-policy': limit.policy,
    });
    if (state.isAllowed) return;
    limited.inc({ kind });
    const whose = kind === 'unauthenticated' ? 'this address' : 'this project';
    throw new HttpError(429, `Too many requests of ${whose}. Try again in ${state.retryAfterSeconds} s.`, {
      'retry-after': String(state.retryAfterSeconds),
    });
  }
}
