import type { DataServer } from '@glimpse/testing';
import { makeChange } from './changes.js';
import type { ChaosClient } from './client.js';
import { type Publish, giveData } from './give-data.js';
import { Lanes } from './lanes.js';
import type { Ledger } from './ledger.js';
import { Life, Stuck, isAnswered } from './life.js';
import { planLife } from './life-plan.js';
import type { Random } from './random.js';

async function create(life: Life): Promise<void> {
  const { id } = life.plan;
  await life.persist('its creation', async () => {
    const outcome = await life.client.sendJson('create', [201, 409], 'POST', '/v2/images', {
      id,
      name: `chaos ${id}`,
      disk_format: 'raw',
      container_format: 'bare',
    });
    if (outcome.kind === 'unknown') life.entry.exists.maybe(true);
    else {
      // 409: an attempt without an answer had made it.
      if (outcome.answer.status === 409 && !life.entry.exists.allows(true))
        life.violation('is said to be there before it was made');
      life.entry.exists.isForGood(true);
      return true;
    }
    return undefined;
  });
}

async function end(life: Life): Promise<void> {
  const { plan, entry } = life;
  if (plan.end === 'keep') return;
  await life.persist('its deletion', async () => {
    const mayBeGone = entry.exists.allows(false);
    const outcome = await life.client.send('delete', mayBeGone ? [204, 404] : [204], 'DELETE', life.path);
    if (isAnswered(outcome, 204) || isAnswered(outcome, 404)) entry.exists.isForGood(false);
    else entry.exists.maybe(false);
    return outcome.kind === 'answered' || plan.end === 'try-to-delete' ? true : undefined;
  });
}

async function live(life: Life, publish: Publish): Promise<void> {
  try {
    await create(life);
    await giveData(life, publish);
    for (const change of life.plan.changes) await makeChange(life, change);
    await end(life);
  } catch (error) {
    life.ledger.violation(error instanceof Stuck ? error.message : `the client failed: ${String(error)}`);
  }
}

/** Clients that make images and change them, each one image after the other. */
export function startWorkload(
  random: Random,
  clients: number,
  newClient: () => ChaosClient,
  { ledger, web }: { readonly ledger: Ledger; readonly web: DataServer },
): Lanes {
  const publish: Publish = (name, data, durationMs) => {
    if (durationMs > 0) setTimeout(web.hold(name), durationMs);
    return web.serve(name, data);
  };
  return new Lanes(clients, (index) => {
    const client = newClient();
    return async (number) => {
      const plan = planLife(random.fork(`client ${index}/life ${number}`));
      const life = new Life(plan, ledger.open(plan.id), client, ledger);
      await live(life, publish);
      // Until its import has ended a worker may come back for it.
      if (life.wasActive) web.remove(plan.id);
    };
  });
}
