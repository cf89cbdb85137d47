import type { Random } from './random.js';
import { type System, type WayName, wayNames } from './system.js';

/** What can be done to the system. */
export type Fault =
  | {
      readonly kind: 'kill';
      readonly what: 'api-gateway' | 'registry' | 'store-worker';
      readonly replica: number;
    }
  | { readonly kind: 'kill'; readonly what: 'rabbitmq' | 'mysql' | 'embedded'; readonly replica: 0 }
  | { readonly kind: 'cut'; readonly what: WayName }
  | { readonly kind: 'freeze'; readonly what: WayName };

/** A fault, when it comes, and how long it lasts until somebody mends it. */
export interface PlannedFault {
  readonly fault: Fault;
  readonly pauseMs: number;
  readonly lastsMs: number;
}

export const nameOf = (fault: Fault) => `${fault.kind} ${fault.what}`;

const LONGEST_PAUSE_MS = 4_500;
const LONGEST_OUTAGE_MS = 2_500;

function drawFault(random: Random): Fault {
  const kind = random.weighted({
    'api-gateway': 5,
    registry: 5,
    'store-worker': 5,
    rabbitmq: 1,
    mysql: 2,
    cut: 4,
    freeze: 1,
  });
  if (kind === 'cut' || kind === 'freeze') return { kind, what: random.pick(wayNames) };
  if (kind === 'rabbitmq' || kind === 'mysql') return { kind: 'kill', what: kind, replica: 0 };
  return { kind: 'kill', what: kind, replica: random.between(0, 1) };
}

/** The faults of a run: the same for the same seed. */
export function planFaults(random: Random, system: Pick<System, 'mode'>, count: number): PlannedFault[] {
  return Array.from({ length: count }, () => ({
    fault: system.mode === 'embedded' ? { kind: 'kill', what: 'embedded', replica: 0 } : drawFault(random),
    pauseMs: random.between(0, LONGEST_PAUSE_MS),
    lastsMs: random.between(0, LONGEST_OUTAGE_MS),
  }));
}

/** Does it. Resolves with what mends it, which resolves when the part serves again. */
export async function strike(system: System, fault: Fault): Promise<() => Promise<void>> {
  if (fault.kind !== 'kill') {
    const way = system.ways.get(fault.what);
    if (way === undefined) throw new Error(`there is no way ${fault.what}`);
    if (fault.kind === 'cut') await way.close();
    else way.freeze();
    return async () => (fault.kind === 'cut' ? way.open() : way.thaw());
  }
  if (fault.what === 'rabbitmq' || fault.what === 'mysql') {
    const server = system.servers?.[fault.what];
    if (server === undefined) throw new Error(`there is no ${fault.what}`);
    await server.kill();
    return () => server.start();
  }
  const slot = system.slots.get(fault.what)?.[fault.replica];
  if (slot === undefined) throw new Error(`there is no ${fault.what} ${fault.replica}`);
  await slot.kill();
  return () => slot.start();
}
