import { setTimeout as sleep } from 'node:timers/promises';
import { type PlannedFault, nameOf, strike } from './faults.js';
import type { Ledger } from './ledger.js';
import type { System } from './system.js';

export interface Recovery {
  readonly fault: string;
  /** From the fault until the part served again, in milliseconds. */
  readonly tookMs: number;
}

/** Strikes by plan. Faults overlap, but nothing is struck again before it serves again. */
export class Killer {
  readonly struck = new Map<string, number>();
  readonly recoveries: Recovery[] = [];
  private readonly mending = new Map<string, Promise<void>>();

  constructor(
    private readonly system: System,
    private readonly ledger: Ledger,
    private readonly onFault: (number: number, fault: string) => void = () => undefined,
  ) {}

  /** Resolves when the last fault is mended. */
  async run(plan: readonly PlannedFault[]): Promise<void> {
    for (const [index, { fault, pauseMs, lastsMs }] of plan.entries()) {
      await sleep(pauseMs);
      const part = partOf(fault);
      await this.mending.get(part);
      const started = performance.now();
      this.struck.set(nameOf(fault), (this.struck.get(nameOf(fault)) ?? 0) + 1);
      this.onFault(index + 1, nameOf(fault));
      const mend = await strike(this.system, fault);
      this.mending.set(part, this.mend(nameOf(fault), mend, { started, lastsMs }));
    }
    await Promise.all(this.mending.values());
  }

  get slowestRecovery(): Recovery | undefined {
    return this.recoveries.toSorted((a, b) => b.tookMs - a.tookMs)[0];
  }

  private async mend(
    fault: string,
    mend: () => Promise<void>,
    { started, lastsMs }: { readonly started: number; readonly lastsMs: number },
  ): Promise<void> {
    try {
      await sleep(lastsMs);
      await mend();
      this.recoveries.push({ fault, tookMs: Math.round(performance.now() - started) });
    } catch (error) {
      const cause = error instanceof Error ? String(error.cause) : '';
      this.ledger.violation(`after ${fault}: ${String(error)} (${cause})`);
    }
  }
}

const partOf = (fault: PlannedFault['fault']) =>
  fault.kind === 'kill' ? `${fault.what} ${fault.replica}` : fault.what;
