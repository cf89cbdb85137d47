import { z } from 'zod';
import type { Identity } from '../authenticator.js';

const Named = z.object({ id: z.string(), name: z.string().optional() });
const InDomain = Named.extend({ domain: Named.optional() });

/** A request that the holder of an application credential may make. */
export const AccessRule = z.object({ service: z.string(), method: z.string(), path: z.string() });
export type AccessRule = z.output<typeof AccessRule>;

const Endpoint = z.object({
  interface: z.string(),
  region_id: z.string().nullish(),
  region: z.string().nullish(),
  url: z.string(),
});
const Service = z.object({ id: z.string(), type: z.string(), endpoints: z.array(Endpoint) });
export type CatalogService = z.output<typeof Service>;

/** What Keystone says of a token (`token` in the answer), as far as it matters here. */
const Token = z.object({
  expires_at: z.string(),
  user: InDomain,
  project: InDomain.optional(),
  domain: Named.optional(),
  system: z.object({ all: z.boolean().optional() }).optional(),
  roles: z.array(z.object({ name: z.string() })).default([]),
  is_admin_project: z.boolean().default(true),
  application_credential: z.object({ access_rules: z.array(AccessRule).optional() }).optional(),
  catalog: z.array(Service).default([]),
});
type Token = z.output<typeof Token>;

const TokenAnswer = z.object({ token: Token });

/** The token within an answer of Keystone; throws where it is none. */
export const parseToken = (body: unknown): Token => TokenAnswer.parse(body).token;

/** When it ends, in milliseconds. Keystone leaves the zone out where an application credential ends it; it is UTC. */
export function expiryOf({ expires_at: text }: Pick<Token, 'expires_at'>): number {
  return Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`);
}

/** A token that Keystone calls valid. */
export interface CheckedToken {
  /** Frozen: one object for all requests with this token. */
  readonly identity: Identity;
  /** As they are called in Keystone; the identity has them in lower case. */
  readonly roleNames: readonly string[];
  readonly expiresAt: number;
  /** The only requests that may be made with it; undefined for any. */
  readonly accessRules: readonly AccessRule[] | undefined;
}

/** Who holds the token. */
export function checkedToken(token: Token): CheckedToken {
  const roleNames = token.roles.map(({ name }) => name);
  const identity: Identity = {
    userId: token.user.id,
    projectId: token.project?.id ?? null,
    domainId: token.domain?.id ?? null,
    systemScope: token.system?.all === true ? 'all' : null,
    roles: roleNames.map((name) => name.trim().toLowerCase()),
    serviceRoles: [],
    isAdminProject: token.is_admin_project,
    ...(token.user.name === undefined ? {} : { userName: token.user.name }),
    ...(token.user.domain === undefined ? {} : { userDomainId: token.user.domain.id }),
    ...(token.project?.domain === undefined ? {} : { projectDomainId: token.project.domain.id }),
  };
  return {
    identity: Object.freeze(identity),
    roleNames,
    expiresAt: expiryOf(token),
    accessRules: token.application_credential?.access_rules,
  };
}
