import { ServiceError } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import {
  type CryptoKey,
  type FlattenedJWSInput,
  type JWSHeaderParameters,
  createLocalJWKSet,
  errors,
} from 'jose';
import { z } from 'zod';

export type KeyFinder = (header: JWSHeaderParameters, token: FlattenedJWSInput) => Promise<CryptoKey>;

export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Named by the discovery document unless given. */
  readonly jwksUri: string | undefined;
  readonly maxAgeSeconds: number;
  readonly cooldownSeconds: number;
}

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });
/** What a key is made of is for jose to check, when it is used. */
const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) });

/**
 * The keys that the issuer signs with now. They are fetched when they are first needed, again when they are old, and
 * at once, but not more often than the cooldown says, for a token that names an unknown one. Keys that were fetched
 * stay in use while the issuer is away.
 */
export class IssuerKeys {
  private known: { readonly find: KeyFinder; readonly fetchedAtMs: number } | null = null;
  private fetching: Promise<void> | null = null;
  private lastTry: { readonly atMs: number; readonly error: unknown } | null = null;

  constructor(
    private readonly http: { json(url: string): Promise<unknown> },
    private readonly options: IssuerKeysOptions,
    private readonly logger: Logger,
    private readonly nowMs: () => number = () => Date.now(),
  ) {}

  /**
   * The key of a token. Rejects with jose's error when the issuer has none such, and with IDENTITY_UNAVAILABLE when that
   * can't be known because the issuer does not answer.
   */
  readonly find: KeyFinder = async (header, token) => {
    if (this.known === null) await this.fetchUnlessJustTried();
    else if (this.nowMs() - this.known.fetchedAtMs > this.options.maxAgeSeconds * 1000)
      // Meanwhile the old ones do.
      void this.fetchUnlessJustTried().catch(() => undefined);
    try {
      return await this.findKnown(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
    }
    await this.fetchUnlessJustTried();
    return this.findKnown(header, token);
  };

  private findKnown(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<CryptoKey> {
    if (this.known === null) throw unavailable();
    return this.known.find(header, token);
  }

  /** Rejects when the keys could not be had the last time. */
  private async fetchUnlessJustTried(): Promise<void> {
    if (this.fetching === null) {
      const { lastTry } = this;
      const isCool = lastTry === null || this.nowMs() - lastTry.atMs >= this.options.cooldownSeconds * 1000;
      if (!isCool) {
        if (lastTry.error !== null) throw unavailable(lastTry.error);
        return;
      }
      this.fetching = this.fetch().finally(() => {
        this.fetching = null;
      });
    }
    return this.fetching;
  }

  private async fetch(): Promise<void> {
    try {
      const { keys } = KeySet.parse(await this.http.json(await this.keysUri()));
      this.known = { find: createLocalJWKSet({ keys }), fetchedAtMs: this.nowMs() };
      this.lastTry = { atMs: this.nowMs(), error: null };
      this.logger.debug({ keys: keys.length }, "fetched the issuer's keys");
    } catch (error) {
      this.lastTry = { atMs: this.nowMs(), error };
      this.logger.warn(
        { err: error, hasOldKeys: this.known !== null },
        "the issuer's keys can not be fetched",
      );
      throw unavailable(error);
    }
  }

  private async keysUri(): Promise<string> {
    const { issuer, jwksUri } = this.options;
    if (jwksUri !== undefined) return jwksUri;
    const found = Discovery.parse(
      await this.http.json(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`),
    );
    // A document of another issuer would have us trust that one's keys.
    if (found.issuer !== issuer)
      throw new Error(`The discovery document is of the issuer ${found.issuer}, not of ${issuer}`);
    if (issuer.startsWith('https:') && !found.jwks_uri.startsWith('https:'))
      throw new Error(`The keys of ${issuer} are not behind https: ${found.jwks_uri}`);
    return found.jwks_uri;
  }
}

const unavailable = (cause?: unknown) =>
  new ServiceError('IDENTITY_UNAVAILABLE', 'The identity service can not be reached, please try again.', {
    cause,
  });
