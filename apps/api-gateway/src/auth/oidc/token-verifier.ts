import { createHash } from 'node:crypto';
import type { Config } from '@glimpse/config';
import { isServiceError } from '@glimpse/contracts';
import { type JWTPayload, type JWTVerifyOptions, errors, jwtVerify } from 'jose';
import { IdentityRefused } from '../identity-refused.js';
import { LruCache } from '../lru-cache.js';
import type { KeyFinder } from './issuer-keys.js';
import { type TokenHolder, holderOf } from './token-holder.js';

const TOKENS_REMEMBERED = 10_000;

type VerifierOptions = Config['oidc'] & { readonly issuer: string };

/** Why jose refused a token, in words for whoever sent it. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf') return 'The token is not valid yet';
    if (error.claim === 'aud') return 'The token is not for this service';
    if (error.claim === 'iss') return 'The token is of another issuer';
    return `The token does not have a proper claim ${error.claim}`;
  }
  if (error instanceof errors.JOSEAlgNotAllowed)
    return 'The token is signed with an algorithm that is not accepted';
  if (error instanceof errors.JWKSNoMatchingKey)
    return 'The token is signed with a key that the issuer does not have';
  if (error instanceof errors.JWSSignatureVerificationFailed) return "The token's signature is wrong";
  return 'The token is malformed';
}

/** Checks tokens: signature, algorithm, issuer, audience, times, claims. */
export class TokenVerifier {
  private readonly cache = new LruCache<TokenHolder>(TOKENS_REMEMBERED);
  private readonly checks: JWTVerifyOptions;

  constructor(
    private readonly options: VerifierOptions,
    private readonly findKey: KeyFinder,
    private readonly nowMs: () => number = () => Date.now(),
  ) {
    this.checks = {
      issuer: options.issuer,
      audience: [...options.audience],
      algorithms: [...options.algorithms],
      clockTolerance: options.clockSkewSeconds,
      // Without them a token would be valid for ever, or for everybody.
      requiredClaims: ['exp', 'aud', 'iss'],
    };
  }

  /** Who holds the token. Rejects with `IdentityRefused`, or IDENTITY_UNAVAILABLE when the keys can't be had. */
  async verify(token: string): Promise<TokenHolder> {
    // Tokens themselves are not kept.
    const digest = createHash('sha256').update(token).digest('base64');
    const cached = this.cache.get(digest, this.nowMs());
    if (cached !== undefined) return cached;
    const claims = await this.check(token);
    const holder = holderOf(claims, this.options);
    this.keep(digest, holder, claims);
    return holder;
  }

  private async check(token: string): Promise<JWTPayload> {
    const currentDate = new Date(this.nowMs());
    try {
      return (await jwtVerify(token, this.findKey, { ...this.checks, currentDate })).payload;
    } catch (error) {
      if (isServiceError(error)) throw error;
      if (error instanceof errors.JWKSMultipleMatchingKeys)
        return this.checkWithEach(error, token, currentDate);
      throw new IdentityRefused(reasonOf(error), { cause: error });
    }
  }

  /** A token that names no key, of an issuer with several. */
  private async checkWithEach(
    keys: errors.JWKSMultipleMatchingKeys,
    token: string,
    currentDate: Date,
  ): Promise<JWTPayload> {
    let last: unknown = keys;
    for await (const key of keys) {
      try {
        return (await jwtVerify(token, key, { ...this.checks, currentDate })).payload;
      } catch (error) {
        last = error;
        // Any other reason is the token's own, whatever the key.
        if (!(error instanceof errors.JWSSignatureVerificationFailed)) break;
      }
    }
    throw new IdentityRefused(reasonOf(last), { cause: last });
  }

  private keep(digest: string, holder: TokenHolder, { exp = 0 }: JWTPayload): void {
    const { tokenCacheSeconds, clockSkewSeconds } = this.options;
    const now = this.nowMs();
    const untilMs = Math.min(now + tokenCacheSeconds * 1000, (exp + clockSkewSeconds) * 1000);
    this.cache.set(digest, holder, untilMs, now);
  }
}
