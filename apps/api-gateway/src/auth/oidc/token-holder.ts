import type { Config } from '@glimpse/config';
import type { JWTPayload } from 'jose';
import { IdentityRefused } from '../identity-refused.js';
import { fulfils, textClaim, textsClaim, wordsClaim } from './claims.js';

/** Who holds a token, as its claims say. */
export interface TokenHolder {
  readonly userId: string;
  readonly userName: string | undefined;
  readonly domainId: string | undefined;
  /** Those that the holder may act in; the first unless they choose. */
  readonly projects: readonly string[];
  readonly roles: readonly string[];
}

export type ClaimOptions = Pick<
  Config['oidc'],
  | 'requiredClaims'
  | 'userIdClaim'
  | 'userNameClaim'
  | 'projectClaim'
  | 'projectPrefix'
  | 'rolesClaims'
  | 'roleMapping'
  | 'defaultRoles'
  | 'domainClaim'
>;

/** The owner column is this long. */
const MAX_ID_LENGTH = 255;

/** Keystone's own implications, which the policy's defaults rely on. */
const implied: Readonly<Record<string, readonly string[]>> = {
  admin: ['member', 'reader'],
  member: ['reader'],
};

function rolesOf(claims: JWTPayload, options: ClaimOptions): string[] {
  const named = options.rolesClaims.flatMap((name) => wordsClaim(claims, name));
  const isMapped = Object.keys(options.roleMapping).length > 0;
  const mapped = isMapped
    ? named.flatMap((role) => (Object.hasOwn(options.roleMapping, role) ? options.roleMapping[role]! : []))
    : named;
  const roles = [...options.defaultRoles, ...mapped].map((role) => role.toLowerCase());
  return [...new Set(roles.flatMap((role) => [role, ...(implied[role] ?? [])]))];
}

function projectsOf(claims: JWTPayload, { projectClaim, projectPrefix }: ClaimOptions): string[] {
  return textsClaim(claims, projectClaim)
    .filter((value) => value.startsWith(projectPrefix))
    .map((value) => value.slice(projectPrefix.length))
    .filter((id) => id !== '' && id.length <= MAX_ID_LENGTH);
}

/** Reads the claims of a token that was checked; throws `IdentityRefused` where one is missing. */
export function holderOf(claims: JWTPayload, options: ClaimOptions): TokenHolder {
  const missing = options.requiredClaims.find((requirement) => !fulfils(claims, requirement));
  if (missing !== undefined) throw new IdentityRefused(`The token does not have the claim ${missing}`);
  const userId = textClaim(claims, options.userIdClaim);
  if (userId === undefined || userId.length > MAX_ID_LENGTH)
    throw new IdentityRefused(`The token does not name its user in ${options.userIdClaim}`);
  return {
    userId,
    userName: textClaim(claims, options.userNameClaim),
    domainId: options.domainClaim === undefined ? undefined : textClaim(claims, options.domainClaim),
    projects: projectsOf(claims, options),
    roles: rolesOf(claims, options),
  };
}
