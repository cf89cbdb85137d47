import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { connect } from 'amqplib';
import type { ImageDocument } from '@glimpse/testing';
import type { ChaosClient } from './client.js';
import { Lanes } from './lanes.js';
import { type Ledger, claimOf } from './ledger.js';
import { Stuck, persist } from './life.js';
import { payloadOf, sha512 } from './payload.js';
import type { Random } from './random.js';

const EXCHANGE = 'glimpse.snapshots';
const LARGEST_DISK = 3_000_000;
/** A request that was confirmed is sent again all the same. */
const REPEATED = 0.3;

/** Where it works. */
interface Place {
  readonly busUrl: string;
  /** For the disks. */
  readonly folder: string;
  readonly ledger: Ledger;
}

/** Compute hosts that ask for snapshots, each for one after the other. */
export function startComputeWorkload(
  random: Random,
  hosts: number,
  newClient: () => ChaosClient,
  place: Place,
): Lanes {
  return new Lanes(hosts, (index) => {
    const host = new Host(newClient(), place);
    return (number) => host.takeSnapshot(random.fork(`host ${index}/snapshot ${number}`));
  });
}

class Host {
  constructor(
    private readonly client: ChaosClient,
    private readonly place: Place,
  ) {}

  async takeSnapshot(random: Random): Promise<void> {
    const { folder, ledger } = this.place;
    const id = random.uuid();
    const data = payloadOf(id, random.between(1, LARGEST_DISK));
    const path = join(folder, id);
    try {
      await writeFile(path, data);
      await this.ask(id, path);
      if (random.chance(REPEATED)) await this.ask(id, path);
      const entry = ledger.open(await this.resultOf(id));
      entry.exists.isForGood(true);
      entry.data.isForGood(sha512(data));
      claimOf(entry.copies, 'one', true);
      await rm(path);
    } catch (error) {
      ledger.violation(error instanceof Stuck ? error.message : `compute failed: ${String(error)}`);
    }
  }

  /** Publishes the request until the broker says that it has it. */
  private async ask(id: string, path: string): Promise<void> {
    const { ledger } = this.place;
    const message = Buffer.from(
      JSON.stringify({
        request_id: id,
        project_id: 'compute',
        instance_id: id,
        name: `chaos ${id}`,
        source: { uri: pathToFileURL(path).href },
      }),
    );
    await persist(ledger, `request ${id}`, 'the broker', async () => {
      const isTaken = await this.publish(message);
      ledger.count('ask for snapshot', isTaken ? 'acknowledged' : 'unknown');
      return isTaken || undefined;
    });
  }

  private async publish(message: Buffer): Promise<boolean> {
    try {
      const connection = await connect(this.place.busUrl);
      // Whoever waits for the confirm is told as well.
      connection.on('error', () => undefined);
      const channel = await connection.createConfirmChannel();
      channel.on('error', () => undefined);
      channel.publish(EXCHANGE, 'snapshot.create', message, { persistent: true });
      await channel.waitForConfirms();
      await connection.close();
      return true;
    } catch {
      return false;
    }
  }

  /** The image that the request has become. */
  private resultOf(id: string): Promise<string> {
    const { ledger } = this.place;
    return persist(ledger, `request ${id}`, 'its image', async () => {
      const outcome = await this.client.send('find snapshot', [200], 'GET', `/v2/images?instance_uuid=${id}`);
      if (outcome.kind === 'unknown') return undefined;
      const { images } = JSON.parse(outcome.answer.text) as { images: ImageDocument[] };
      if (images.length > 1) ledger.violation(`request ${id} has ${images.length} images`);
      const [image] = images;
      return image?.status === 'active' ? image.id : undefined;
    });
  }
}
