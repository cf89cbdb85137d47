/** A request that was not answered may still be carried out for this long: its message waits for a registry. */
const LATE_MS = 15_000;

/** What a value may be, as far as the answers of the service tell. */
export class Claim<T> {
  private allowed: Set<T>;
  private strays: { readonly value: T; readonly lostAt: number }[] = [];

  constructor(initial: T) {
    this.allowed = new Set([initial]);
  }

  /** The service has said so: it is this, or what a request makes of it that nobody has heard of lately. */
  is(value: T): void {
    const earliest = Date.now() - LATE_MS;
    this.strays = this.strays.filter(({ lostAt }) => lostAt > earliest);
    this.allowed = new Set([value, ...this.strays.map((stray) => stray.value)]);
  }

  /** The service has said so, and no request that is still under way can change it. */
  isForGood(value: T): void {
    this.strays = [];
    this.allowed = new Set([value]);
  }

  /** Nobody knows what became of a request that makes it `value`. */
  maybe(value: T): void {
    this.strays.push({ value, lostAt: Date.now() });
    this.allowed.add(value);
  }

  /** It is not this one, nor will it be. */
  isNot(value: T): void {
    this.strays = this.strays.filter((stray) => stray.value !== value);
    this.allowed.delete(value);
  }

  allows(value: T): boolean {
    return this.allowed.has(value);
  }

  /** The value where there is only one. */
  get certain(): T | undefined {
    return this.allowed.size === 1 ? [...this.allowed][0] : undefined;
  }

  toString(): string {
    return [...this.allowed].map(String).join(' or ');
  }
}

/** What an image holds: the hash of its data, or null. */
export type Data = string | null;

/** What one client knows of an image; no other client changes it. */
export class Entry {
  readonly exists = new Claim(false);
  readonly data = new Claim<Data>(null);
  /** Data that was received in full but is not imported yet. */
  isStaged = false;
  readonly properties = new Map<string, Claim<string | undefined>>();
  readonly tags = new Map<string, Claim<boolean>>();
  readonly members = new Map<string, Claim<boolean>>();
  /** In which stores its data is, once that was decided on. */
  readonly copies = new Map<string, Claim<boolean>>();

  constructor(readonly id: string) {}
}

export const claimOf = <T>(claims: Map<string, Claim<T>>, key: string, initial: T): Claim<T> => {
  const claim = claims.get(key) ?? new Claim(initial);
  claims.set(key, claim);
  return claim;
};

export interface OperationCount {
  sent: number;
  acknowledged: number;
  refused: number;
  /** Without an answer, or with one that says that nobody knows. */
  unknown: number;
}

/** What was asked for and what was answered: the truth that the service is held to. */
export class Ledger {
  readonly entries: Entry[] = [];
  readonly operations = new Map<string, OperationCount>();
  readonly violations: string[] = [];
  /** When the last fault was mended; null until then. */
  calmSince: number | null = null;

  open(id: string): Entry {
    const entry = new Entry(id);
    this.entries.push(entry);
    return entry;
  }

  count(operation: string, outcome: Exclude<keyof OperationCount, 'sent'>): void {
    const count = this.operations.get(operation) ?? { sent: 0, acknowledged: 0, refused: 0, unknown: 0 };
    count.sent += 1;
    count[outcome] += 1;
    this.operations.set(operation, count);
  }

  violation(text: string): void {
    this.violations.push(text);
  }
}
