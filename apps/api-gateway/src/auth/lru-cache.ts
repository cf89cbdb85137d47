interface Entry<V> {
  readonly value: V;
  readonly expiresAt: number;
}

/** Values by key, each until its own time; when there are more than `capacity` the longest unused one goes. */
export class LruCache<V> {
  private readonly entries = new Map<string, Entry<V>>();

  constructor(private readonly capacity: number) {}

  get size(): number {
    return this.entries.size;
  }

  /** The value whose time has not come at `now`. */
  get(key: string, now: number): V | undefined {
    const entry = this.entries.get(key);
    if (entry === undefined) return undefined;
    this.entries.delete(key);
    if (entry.expiresAt <= now) return undefined;
    // A map keeps the order in which its keys were set: the first one is the longest unused.
    this.entries.set(key, entry);
    return entry.value;
  }

  /** Remembers a value until `expiresAt`; one whose time has come at `now` is not remembered. */
  set(key: string, value: V, expiresAt: number, now: number): void {
    this.entries.delete(key);
    if (expiresAt <= now) return;
    this.entries.set(key, { value, expiresAt });
    if (this.entries.size <= this.capacity) return;
    const [oldest] = this.entries.keys();
    if (oldest !== undefined) this.entries.delete(oldest);
  }
}
