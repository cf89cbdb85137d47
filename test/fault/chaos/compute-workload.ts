import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { connect } from 'amqplib';
import type { ImageDocument } from '@glimpse/testing';
import type { ChaosClient } from './client.js';
import { type Ledger, claimOf } from './ledger.js';
import { Stuck, persist } from './life.js';
import { payloadOf, sha512 } from './payload.js';
import type { Random } from './random.js';

const EXCHANGE = 'glimpse.snapshots';
const PAUSE_BETWEEN_SNAPSHOTS_MS = 50;
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

/** Compute hosts that ask for snapshots, each for one after the other, until they are told to stop. */
export class ComputeWorkload {
  private isStopping = false;
  private readonly running: Promise<void>[];

  constructor(
    private readonly random: Random,
    hosts: number,
    private readonly newClient: () => ChaosClient,
    private readonly place: Place,
  ) {
    this.running = Array.from({ length: hosts }, (_, index) => this.run(index));
  }

  /** Asks for no more; resolves when the snapshots that go on have ended. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await Promise.all(this.running);
  }

  private async run(index: number): Promise<void> {
    const client = this.newClient();
    for (let number = 1; !this.isStopping; number += 1) {
      await this.takeSnapshot(this.random.fork(`host ${index}/snapshot ${number}`), client);
      await sleep(PAUSE_BETWEEN_SNAPSHOTS_MS);
    }
  }

  private async takeSnapshot(random: Random, client: ChaosClient): Promise<void> {
    const { folder, ledger } = this.place;
    const id = random.uuid();
    const data = payloadOf(id, random.between(1, LARGEST_DISK));
    const path = join(folder, id);
    try {
      await writeFile(path, data);
      await this.ask(id, path);
      if (random.chance(REPEATED)) await this.ask(id, path);
      const entry = ledger.open(await this.resultOf(id, client));
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
  private resultOf(id: string, client: ChaosClient): Promise<string> {
    const { ledger } = this.place;
    return persist(ledger, `request ${id}`, 'its image', async () => {
      const outcome = await client.send('find snapshot', [200], 'GET', `/v2/images?instance_uuid=${id}`);
      if (outcome.kind === 'unknown') return undefined;
      const { images } = JSON.parse(outcome.answer.text) as { images: ImageDocument[] };
      if (images.length > 1) ledger.violation(`request ${id} has ${images.length} images`);
      const [image] = images;
      return image?.status === 'active' ? image.id : undefined;
    });
  }
}
