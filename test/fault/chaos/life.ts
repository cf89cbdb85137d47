import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageDocument } from '@glimpse/testing';
import type { ChaosClient, Outcome } from './client.js';
import type { Entry, Ledger } from './ledger.js';
import type { LifePlan } from './life-plan.js';

/** The promise: whatever was going on is over within this time after the last fault. */
export const REST_MS = 60_000;
const PAUSE_MS = 200;

export const JSON_PATCH = { 'content-type': 'application/openstack-images-v2.1-json-patch' };

/** An image, its plan, and how its client asks the service about it. */
export class Life {
  /** Its data was there, so that it may be downloaded from then on. */
  wasActive = false;

  constructor(
    readonly plan: LifePlan,
    readonly entry: Entry,
    readonly client: ChaosClient,
    readonly ledger: Ledger,
  ) {}

  get path(): string {
    return `/v2/images/${this.plan.id}`;
  }

  /** The image as it is now; null where it is gone. Asks until it is told. */
  async look(): Promise<ImageDocument | null> {
    return this.persist('an answer', async () => {
      const outcome = await this.client.send('show', [200, 404], 'GET', this.path);
      if (outcome.kind === 'unknown') return undefined;
      if (outcome.answer.status === 404) {
        if (!this.entry.exists.allows(false)) this.violation('is acknowledged, and not found');
        return null;
      }
      return JSON.parse(outcome.answer.text) as ImageDocument;
    });
  }

  /** As the function of that name. */
  persist<T>(what: string, step: () => Promise<T | undefined>): Promise<T> {
    return persist(this.ledger, `image ${this.plan.id}`, what, step);
  }

  violation(text: string): void {
    this.ledger.violation(`image ${this.plan.id} (${this.plan.way}) ${text}`);
  }
}

/** Repeats `step` until it answers with something. As long as there are faults a client has to be patient. */
export async function persist<T>(
  ledger: Ledger,
  who: string,
  what: string,
  step: () => Promise<T | undefined>,
): Promise<T> {
  const started = Date.now();
  for (;;) {
    const result = await step();
    if (result !== undefined) return result;
    const { calmSince } = ledger;
    if (calmSince !== null && Date.now() - Math.max(calmSince, started) > REST_MS)
      throw new Stuck(`${who} waited ${REST_MS} ms without a fault for ${what}`);
    await sleep(PAUSE_MS);
  }
}

/** Something did not come to an end. */
export class Stuck extends Error {}

export const isAnswered = (outcome: Outcome, status: number) =>
  outcome.kind === 'answered' && outcome.answer.status === status;
