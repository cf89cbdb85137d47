import { z } from 'zod';
import { flag, wholeNumber, words } from '../option-types.js';

/** Signatures that anybody can check and only the issuer can make. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];

/** Who is calling according to the tokens of an OpenID Connect issuer (`auth: oidc`). */
export const oidc = z
  .strictObject({
    issuer: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('The issuer, exactly as the tokens name it in `iss`; needed with auth `oidc`.'),
    audience: words()
      .default([])
      .describe('Names of this service in `aud`, one of which a token must have; needed with auth `oidc`.'),
    jwksUri: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        "Where the issuer's keys are; default: what its discovery document (`<issuer>/.well-known/openid-configuration`) names.",
      ),
    allowHttp: flag()
      .default(false)
      .describe(
        'Fetch the keys without TLS from another machine too. Who can change them on the way can be anybody.',
      ),
    caFile: z
      .string()
      .optional()
      .describe(
        "PEM file of the authorities that the issuer's certificate is checked with; default: Node's.",
      ),
    algorithms: words()
      .refine(
        (names) => names.length > 0 && names.every((name) => algorithms.includes(name)),
        `must be of ${algorithms.join(', ')}`,
      )
      .default(['RS256', 'PS256', 'ES256', 'EdDSA'])
      .describe(`Signature algorithms that are accepted; of ${algorithms.join(', ')}.`),
    clockSkewSeconds: wholeNumber(0, 600)
      .default(30)
      .describe("How far the issuer's clock may differ, in seconds."),
    requiredClaims: words()
      .default([])
      .describe('Claims that a token must have: `name`, or `name=value` for a certain value.'),
    userIdClaim: z.string().min(1).default('sub').describe("Claim with the user's id."),
    userNameClaim: z
      .string()
      .min(1)
      .default('preferred_username')
      .describe("Claim with the user's name, for the audit."),
    projectClaim: z
      .string()
      .min(1)
      .default('project_id')
      .describe(
        'Claim with the project, or the list of projects: then X-Project-Id chooses one of them, else it is the first.',
      ),
    projectPrefix: z
      .string()
      .default('')
      .describe(
        'Only values that begin with this name a project, and it is cut off; for projects among the groups of a user.',
      ),
    projectRequired: flag()
      .default(true)
      .describe('Refuse tokens that name no project; without it they look at what is public.'),
    rolesClaims: words()
      .default(['roles', 'realm_access.roles'])
      .describe('Claims with roles: lists, or words separated by blanks. A dot leads into an object.'),
    roleMapping: z
      .record(z.string(), words())
      .default({})
      .describe(
        'What the roles of the token are here, e.g. `{image-operators: [admin]}`. If set, roles without a line count for nothing; else they are taken as they are.',
      ),
    defaultRoles: words()
      .default([])
      .describe('Roles that everybody with a token has, e.g. `member` or `reader`.'),
    domainClaim: z
      .string()
      .min(1)
      .optional()
      .describe('Claim with the domain of the user and of the project, for policy rules.'),
    keysMaxAgeSeconds: wholeNumber(10)
      .default(600)
      .describe(
        "How often the issuer's keys are fetched again, in seconds; a token with an unknown key has them fetched at once.",
      ),
    keysCooldownSeconds: wholeNumber(1)
      .default(10)
      .describe('Pause between two fetches of the keys, whatever tokens are sent, in seconds.'),
    timeoutMs: wholeNumber(100).default(5_000).describe('Wait for the issuer, in milliseconds.'),
    tokenCacheSeconds: wholeNumber(0)
      .default(60)
      .describe('How long a checked token is not checked again, within its lifetime, in seconds; 0: never.'),
  })
  .prefault({});

const isLoopback = (url: string) => /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(new URL(url).hostname);

/** What is wrong with the options together; empty where they work. */
export function oidcProblems(config: { auth: string; oidc: z.output<typeof oidc> }): string[] {
  if (config.auth !== 'oidc') return [];
  const { issuer, jwksUri, audience, allowHttp } = config.oidc;
  const isOpen = (url: string | undefined) => url?.startsWith('http:') && !isLoopback(url) && !allowHttp;
  return [
    ...(issuer === undefined ? ['oidc.issuer: must be set with auth "oidc"'] : []),
    ...(audience.length === 0 ? ['oidc.audience: must be set with auth "oidc"'] : []),
    ...(isOpen(issuer) || isOpen(jwksUri)
      ? ['oidc.issuer, oidc.jwks_uri: must be https, or set oidc.allow_http']
      : []),
  ];
}
