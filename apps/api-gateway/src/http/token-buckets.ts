/** What a bucket says about one more request. */
export interface BucketState {
  readonly isAllowed: boolean;
  /** Requests that may still come at once. */
  readonly remaining: number;
  /** Until the bucket is full again, in seconds. */
  readonly resetSeconds: number;
  /** Until one more request is allowed, in seconds; 0 when it is now. */
  readonly retryAfterSeconds: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/**
 * Token buckets of one rate, by key. Bounded: beyond `maxKeys` those that were not used the longest are forgotten,
 * and count as full again.
 */
export class TokenBuckets {
  private readonly buckets = new Map<string, Bucket>();
  private readonly perMs: number;

  constructor(
    perMinute: number,
    private readonly burst: number,
    private readonly maxKeys: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.perMs = perMinute / 60_000;
  }

  /** Takes one token of `key`, if there is one. */
  take(key: string): BucketState {
    const bucket = this.refilled(key);
    const isAllowed = bucket.tokens >= 1;
    if (isAllowed) bucket.tokens -= 1;
    return {
      isAllowed,
      remaining: Math.floor(bucket.tokens),
      resetSeconds: this.secondsUntil(bucket, this.burst),
      retryAfterSeconds: isAllowed ? 0 : this.secondsUntil(bucket, 1),
    };
  }

  private refilled(key: string): Bucket {
    const now = this.nowMs();
    const bucket = this.buckets.get(key) ?? { tokens: this.burst, atMs: now };
    bucket.tokens = Math.min(this.burst, bucket.tokens + (now - bucket.atMs) * this.perMs);
    bucket.atMs = now;
    // Put at the end, so that the first one is the one that was not used the longest.
    this.buckets.delete(key);
    this.buckets.set(key, bucket);
    const [first] = this.buckets.keys();
    if (first !== undefined && this.buckets.size > this.maxKeys) this.buckets.delete(first);
    return bucket;
  }

  private secondsUntil({ tokens }: Bucket, wanted: number): number {
    return Math.max(0, Math.ceil((wanted - tokens) / this.perMs / 1000));
  }
}
