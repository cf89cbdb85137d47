import { hash } from 'node:crypto';
import type { Config } from '@glimpse/config';
import { cacheLookups } from './keystone-metrics.js';
import { LruCache } from '../lru-cache.js';
import type { CheckedToken } from './token-document.js';
import type { TokenValidator } from './token-validator.js';

/** What Keystone's tokens are made of; the longest (signed ones) have a few thousand characters. */
const TOKEN = /^[\x21-\x7e]{1,8192}$/;

/** Under which a token is known that counts as valid only beside a service's. */
const expiredKeyOf = (key: string) => `${key} expired`;

type Options = Pick<Config['keystone'], 'cacheTtlMs' | 'cacheEntries' | 'refusedCacheTtlMs'>;

/**
 * Tokens that were checked, for a while: known by their hashes only. Whoever floods it with tokens that are not valid
 * pushes no valid one out.
 */
export class CheckedTokens {
  private readonly valid: LruCache<CheckedToken>;
  private readonly refused: LruCache<true>;
  private readonly underWay = new Map<string, Promise<CheckedToken | null>>();

  constructor(
    private readonly validator: Pick<TokenValidator, 'validate'>,
    private readonly options: Options,
    private readonly now: () => number = Date.now,
  ) {
    this.valid = new LruCache(options.cacheEntries);
    this.refused = new LruCache(options.cacheEntries);
  }

  /** What is known of a token, null when it is not valid; Keystone is asked once, however many requests bring it. */
  find(
    token: string,
    { allowExpired }: { allowExpired: boolean },
  ): Promise<CheckedToken | null> | CheckedToken | null {
    const key = hash('sha256', token, 'hex');
    const now = this.now();
    const known =
      this.valid.get(key, now) ?? (allowExpired ? this.valid.get(expiredKeyOf(key), now) : undefined);
    if (known !== undefined) {
      cacheLookups.inc({ result: 'hit' });
      return known;
    }
    if (!TOKEN.test(token)) return null;
    const asked = allowExpired ? expiredKeyOf(key) : key;
    if (this.refused.get(asked, now) === true) {
      cacheLookups.inc({ result: 'refused' });
      return null;
    }
    const underWay = this.underWay.get(asked);
    cacheLookups.inc({ result: underWay === undefined ? 'miss' : 'joined' });
    if (underWay !== undefined) return underWay;
    const answer = this.ask(token, key, asked).finally(() => this.underWay.delete(asked));
    this.underWay.set(asked, answer);
    return answer;
  }

  private async ask(token: string, key: string, asked: string): Promise<CheckedToken | null> {
    const { cacheTtlMs, refusedCacheTtlMs } = this.options;
    // Counted from the question: a token that is revoked while Keystone answers does not live longer for it.
    const before = this.now();
    const checked = await this.validator.validate(token, asked !== key);
    const now = this.now();
    if (checked === null) this.refused.set(asked, true, now + refusedCacheTtlMs, now);
    else if (checked.expiresAt > now)
      this.valid.set(key, checked, Math.min(before + cacheTtlMs, checked.expiresAt), now);
    else if (asked !== key) this.valid.set(asked, checked, before + cacheTtlMs, now);
    return checked;
  }
}
