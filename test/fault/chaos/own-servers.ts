import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { busUrl, databaseUrl } from '../../../scripts/services/account.js';
import { ensureCertificates } from '../../../scripts/services/certificates.js';
import { startMysql, waitForMysql } from '../../../scripts/services/mysql.js';
import { freePort } from '../../../scripts/services/ports.js';
import { type ProcessRecord, killServer, stopServer } from '../../../scripts/services/processes.js';
import { startEpmd, startRabbitmq, waitForRabbitmq } from '../../../scripts/services/rabbitmq.js';
import type { Ports } from '../../../scripts/services/state.js';
import { ensurePackages } from '../../../scripts/services/with-packages.js';

const STOP_TIMEOUT_MS = 10_000;

/** A server that can be killed and comes back with what it had written. */
class MortalServer {
  private process: ProcessRecord | undefined;

  constructor(
    private readonly spawn: () => ProcessRecord,
    private readonly answers: () => Promise<void>,
  ) {}

  async start(): Promise<void> {
    this.process = this.spawn();
    await this.answers();
  }

  async kill(): Promise<void> {
    await killServer(this.process);
  }

  async stop(): Promise<void> {
    await stopServer(this.process, STOP_TIMEOUT_MS);
  }
}

/** RabbitMQ and MySQL that nobody else uses, from the distribution's packages. */
export class OwnServers {
  private epmd: ProcessRecord | undefined;
  readonly rabbitmq: MortalServer;
  readonly mysql: MortalServer;

  private constructor(
    private readonly ports: Ports,
    home: string,
  ) {
    this.rabbitmq = new MortalServer(
      () => startRabbitmq(ports, home),
      () => waitForRabbitmq(ports, home),
    );
    this.mysql = new MortalServer(
      () => startMysql(ports, home),
      () => waitForMysql(ports, home),
    );
  }

  /** Starts them; what they keep is in `home`. Whoever starts them stops them. */
  static async start(home: string): Promise<OwnServers> {
    ensurePackages();
    mkdirSync(join(home, 'log'), { recursive: true });
    ensureCertificates();
    const free = () => freePort(0);
    const servers = new OwnServers(
      {
        amqp: await free(),
        amqps: await free(),
        management: await free(),
        erlang: await free(),
        epmd: await free(),
        mysql: await free(),
      },
      home,
    );
    try {
      servers.epmd = await startEpmd(servers.ports, home);
      await Promise.all([servers.rabbitmq.start(), servers.mysql.start()]);
    } catch (error) {
      await servers.stop();
      throw error;
    }
    return servers;
  }

  get busUrl(): string {
    return busUrl(this.ports);
  }

  get databaseUrl(): string {
    return databaseUrl(this.ports);
  }

  async stop(): Promise<void> {
    await Promise.all([this.rabbitmq.stop(), this.mysql.stop()]);
    await stopServer(this.epmd, STOP_TIMEOUT_MS);
  }
}
