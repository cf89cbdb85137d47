import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { STAGING_STORE, isServiceError } from '@glimpse/contracts';
import { afterAll, beforeAll, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { DatabasePlace } from '../registry-harness.conformance.js';
import { Died, ReconcileWorld, type Step } from './reconcile-world.conformance.js';

const IMAGES = 3;

/** What somebody does while others do something else; `diesAt` is the step before which the process is killed. */
type Deed = {
  readonly kind: 'upload' | 'copy' | 'delete' | 'read' | 'reconcile' | 'work' | 'wait';
  readonly image: number;
  readonly diesAt: number | null;
};

const deeds = fc.array(
  fc.record<Deed>({
    kind: fc.constantFrom(
      'upload',
      'upload',
      'copy',
      'delete',
      'read',
      'reconcile',
      'reconcile',
      'work',
      'wait',
    ),
    image: fc.nat({ max: IMAGES - 1 }),
    diesAt: fc.option(fc.nat({ max: 14 }), { nil: null, freq: 2 }),
  }),
  { minLength: 3, maxLength: 9 },
);

/** What a caller may be told, as others are at work on the same image. */
const isRefusal = (error: unknown) =>
  error instanceof Died ||
  [
    'IMAGE_STATUS_CONFLICT',
    'IMAGE_LOST_RACE',
    'IMAGE_NOT_FOUND',
    'STORE_OBJECT_DUPLICATE',
    'TASK_CONFLICT',
    'IMAGE_LOCKED',
    'LEASE_LOST',
    'REQUEST_INVALID',
  ].some((code) => isServiceError(error, code as never));

/** One run: every deed at the same time, in an order of their steps that the scheduler chooses. */
class Story {
  private readonly data = new Map<string, Buffer>();
  private images: string[] = [];

  constructor(
    private readonly world: ReconcileWorld,
    private readonly scheduler: fc.Scheduler,
  ) {}

  async tell(all: readonly Deed[]): Promise<void> {
    for (let index = 0; index < IMAGES; index++) this.images.push(await this.world.create());
    const going = Promise.all(all.map((deed) => this.begin(deed)));
    await this.scheduler.waitFor(going);
    // Before anything is mended.
    await this.readAll();
    await this.recover();
    await this.check();
  }

  private async begin({ kind, image, diesAt }: Deed): Promise<void> {
    const id = this.images[image]!;
    let steps = 0;
    const step: Step = async () => {
      await this.scheduler.schedule(Promise.resolve(), kind);
      steps += 1;
      if (kind === 'reconcile') await this.readAll();
      if (diesAt !== null && steps > diesAt) throw new Died();
    };
    try {
      await this.act(kind, id, step);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }

  private async act(kind: Deed['kind'], id: string, step: Step): Promise<void> {
    const { world } = this;
    if (kind === 'upload') await world.upload(id, this.dataOf(id), step);
    else if (kind === 'work') await world.work(['import', 'delete-data'], step);
    else if (kind === 'read') await this.read(id, step);
    else {
      await step();
      if (kind === 'copy') await world.beginCopy(id);
      else if (kind === 'delete') await world.remove(id);
      else if (kind === 'wait') await world.passTime(60_000);
      else await this.reconcile(step);
    }
  }

  private async reconcile(step: Step): Promise<void> {
    for (const store of ['fast', 'slow']) await this.world.ask(store, { repair: true });
    await this.world.work(['reconcile'], step);
  }

  /** Each image has data of its own, whoever uploads it. */
  private dataOf(id: string): Buffer {
    const data = this.data.get(id) ?? randomBytes(64);
    this.data.set(id, data);
    return data;
  }

  /** What was acknowledged can be read, at any time. */
  private async readAll(): Promise<void> {
    for (const id of this.images) await this.read(id);
  }

  private async read(id: string, step?: Step): Promise<void> {
    for (const found of (await this.world.read(id, step)) ?? [])
      assert.ok(found.equals(this.dataOf(id)), `${id} is not what was uploaded`);
  }

  /** The dead are found to be dead, and their work is done by others. */
  private async recover(): Promise<void> {
    for (let round = 0; round < 3; round++) {
      await this.world.passTime(60_000);
      await this.world.work();
    }
    for (const store of ['fast', 'slow', STAGING_STORE])
      await this.world.compare(store, { repair: true, keepMs: 86_400_000 });
  }

  /** Every row has its data, and every piece of data its row, or is set aside. */
  private async check(): Promise<void> {
    const promised: string[] = [];
    for (const id of this.images) {
      await this.read(id);
      promised.push(...(await this.world.urlsOf(id)));
    }
    assert.deepEqual((await this.world.listAll()).urls, promised.toSorted());
    for (const store of ['fast', 'slow']) {
      const { orphans, missing, wrongSize } = await this.world.compare(store);
      assert.deepEqual(
        { orphans: orphans.objects, missing, wrongSize },
        { orphans: 0, missing: 0, wrongSize: 0 },
      );
    }
  }
}

/** Holds the comparison to its promise, whatever else happens at the same time: no data that lives is ever removed. */
export function describeReconcileSafety(makePlace: () => Promise<DatabasePlace>, numRuns: number): void {
  let world: ReconcileWorld;
  beforeAll(async () => {
    world = await ReconcileWorld.open(makePlace);
  });
  afterAll(() => world.close());

  it('never removes what lives, while data comes and goes and processes die', async () => {
    await fc.assert(
      fc
        .asyncProperty(deeds, fc.scheduler(), (all, scheduler) => new Story(world, scheduler).tell(all))
        .afterEach(() => world.reset()),
      { numRuns },
    );
  }, 600_000);
}
