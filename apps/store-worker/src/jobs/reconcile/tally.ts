import type { DataCount, ReconcileResult } from '@glimpse/contracts';

/** Names of other people's data that a report shows. */
const EXAMPLES = 20;

const nothing = (): DataCount => ({ objects: 0, bytes: 0 });

function add(to: DataCount, bytes: number): void {
  to.objects += 1;
  to.bytes += bytes;
}

/** Counts what a comparison of a store comes to. */
export class Tally {
  private readonly listed = nothing();
  private readonly foreign = { ...nothing(), examples: [] as string[] };
  private readonly setAside = nothing();
  private readonly discarded = nothing();
  private putBack = 0;
  private promised = 0;
  private unreadable = 0;

  sawObject(bytes: number): void {
    add(this.listed, bytes);
  }

  /** Whether nothing of ours was seen. */
  get isEmpty(): boolean {
    return this.listed.objects === this.foreign.objects;
  }

  sawForeign(name: string, bytes: number): void {
    add(this.foreign, bytes);
    if (this.foreign.examples.length < EXAMPLES) this.foreign.examples.push(name);
  }

  didSetAside(bytes: number): void {
    add(this.setAside, bytes);
  }

  didPutBack(): void {
    this.putBack += 1;
  }

  didDiscard(bytes: number): void {
    add(this.discarded, bytes);
  }

  sawPromise(): void {
    this.promised += 1;
  }

  couldNotRead(): void {
    this.unreadable += 1;
  }

  /** `isListed`: whether the store was gone through. */
  result(isListed: boolean): ReconcileResult {
    return {
      listed: isListed ? this.listed : null,
      foreign: this.foreign,
      promised: this.promised,
      unreadable: this.unreadable,
      setAside: this.setAside,
      putBack: this.putBack,
      discarded: this.discarded,
    };
  }
}
