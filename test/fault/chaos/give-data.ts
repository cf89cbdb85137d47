import { type Data, claimOf } from './ledger.js';
import { type Life, isAnswered } from './life.js';
import { storeNames } from './life-plan.js';
import { brokenOff, payloadOf, sentSlowly, sha512 } from './payload.js';

const OCTETS = { 'content-type': 'application/octet-stream' };

/** Serves data under a name for web-downloads; answers with the URL. */
export type Publish = (name: string, data: Buffer, durationMs: number) => string;

/** Brings the image to data in the way of its plan. Resolves when the service has acknowledged that. */
export async function giveData(life: Life, publish: Publish): Promise<void> {
  const { way } = life.plan;
  if (way === 'upload') await upload(life);
  if (way === 'stage') {
    await stage(life);
    await importIt(life, { name: 'glance-direct' });
  }
  if (way === 'web') {
    const data = payloadOf(life.plan.id, life.plan.size);
    const uri = publish(life.plan.id, data, life.plan.sendingMs);
    life.entry.data.maybe(sha512(data));
    await importIt(life, { name: 'web-download', uri });
  }
  if (way === 'upload' || (way !== 'none' && life.plan.isPatient)) await isActive(life);
}

/** Each attempt has data of its own, so that what is found in the end tells which of them it was. */
class Attempts {
  private number = 0;

  constructor(
    private readonly life: Life,
    private readonly operation: 'upload' | 'stage',
    private readonly path: string,
    private readonly headers: Readonly<Record<string, string>>,
  ) {}

  /** Sends the data once. Answers with its hash where it is acknowledged, with null where nothing can come of it. */
  async next(): Promise<Data | undefined> {
    const { plan, client, entry } = this.life;
    this.number += 1;
    const data = payloadOf(`${plan.id}/${this.number}`, plan.size);
    const path = `${plan.id}/${this.path}`;
    const breaksOff = plan.breaksOff && this.number === 1;
    const body = breaksOff ? brokenOff(data) : plan.sendingMs > 0 ? sentSlowly(data, plan.sendingMs) : data;
    const outcome = await client.send(this.operation, [204, 409, 410], 'PUT', `/v2/images/${path}`, {
      headers: { ...OCTETS, ...this.headers },
      body,
    });
    if (isAnswered(outcome, 204)) {
      if (breaksOff) this.life.violation(`took the half of its data for the whole (${this.operation})`);
      return sha512(data);
    }
    // What was not sent to its end must never be taken for the image's data.
    if (outcome.kind === 'unknown' && !breaksOff) entry.data.maybe(sha512(data));
    return outcome.kind === 'unknown' ? undefined : null;
  }
}

async function upload(life: Life): Promise<void> {
  const store = life.plan.stores[0] ?? 'one';
  const attempts = new Attempts(life, 'upload', 'file', { 'x-image-meta-store': store });
  await life.persist('an upload', async () => {
    const image = await life.look();
    if (image === null || image.status === 'active') return true;
    if (image.status !== 'queued') return undefined;
    const hash = await attempts.next();
    if (hash === undefined || hash === null) return undefined;
    life.entry.data.isForGood(hash);
    return true;
  });
  for (const name of storeNames) claimOf(life.entry.copies, name, name === store);
}

async function stage(life: Life): Promise<void> {
  const attempts = new Attempts(life, 'stage', 'stage', {});
  await life.persist('staging', async () => {
    const image = await life.look();
    if (image === null || (image.status === 'uploading' && image['size'] !== null)) return true;
    if (image.status !== 'queued') return undefined;
    const hash = await attempts.next();
    if (hash === undefined || hash === null) return undefined;
    life.entry.data.isForGood(hash);
    return true;
  });
  life.entry.isStaged = true;
}

async function importIt(life: Life, method: object): Promise<void> {
  const { plan, client, entry } = life;
  const isFree = (status: string) => status === 'queued' || status === 'uploading';
  await life.persist('an import to be accepted', async () => {
    const image = await life.look();
    if (image === null || !isFree(image.status)) return true;
    if (plan.way === 'stage' && image.status === 'queued') {
      life.violation('lost its staged data, which was acknowledged');
      entry.data.maybe(null);
      return true;
    }
    const body = { method, stores: plan.stores, all_stores_must_succeed: true };
    const outcome = await client.sendJson('import', [202, 409], 'POST', `${life.path}/import`, body);
    return isAnswered(outcome, 202) ? true : undefined;
  });
  entry.isStaged = false;
  // It was acknowledged, so one of the data that was given is what it ends with.
  entry.data.isNot(null);
  for (const name of storeNames) claimOf(entry.copies, name, plan.stores.includes(name));
}

/** Waits for the end of the import that was acknowledged. */
export async function isActive(life: Life): Promise<boolean> {
  return life.persist('its import to end', async () => {
    const image = await life.look();
    if (image === null) return false;
    if (image.status === 'queued') {
      life.violation(
        `lost its data, which was acknowledged (os_glance_failed_import: ${String(image['os_glance_failed_import'])})`,
      );
      life.entry.data.maybe(null);
      return false;
    }
    if (image.status !== 'active') return undefined;
    life.wasActive = true;
    return true;
  });
}
