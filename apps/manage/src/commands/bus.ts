import {
  type BusOptions,
  type BusPermissions,
  type BusUser,
  declareNotificationTopology,
  declareSnapshotTopology,
  declareTopology,
  permissionsOf,
  trustedBy,
} from '@glimpse/bus';
import { loadConfig } from '@glimpse/config';
import type { Command } from 'commander';
import { type OutputOptions, report, write } from '../output.js';
import { findBrokers } from '../with-services.js';

const users = Object.keys(trustedBy) as BusUser[];

interface BusRights extends BusPermissions {
  readonly service: BusUser;
  readonly trusts: readonly BusUser[];
}

const describe = ({ service, configure, write: toWrite, read, trusts, topics = [] }: BusRights): string =>
  [
    service,
    `  configure  ${configure}`,
    `  write      ${toWrite}`,
    `  read       ${read}`,
    `  trusts     ${trusts.join(', ')}`,
    ...topics.map((topic) => `  topics of ${topic.exchange}  write ${topic.write}  read ${topic.read}`),
  ].join('\n');

async function declareForServices(broker: BusOptions): Promise<void> {
  const { notifications } = loadConfig();
  await declareTopology(broker);
  if (notifications.driver.startsWith('messaging') && notifications.transportUrl === undefined)
    await declareNotificationTopology(broker, notifications);
}

export function addBus(program: Command): void {
  const bus = program.command('bus').description('what the services need on RabbitMQ');
  bus
    .command('declare')
    .description(
      'make the exchanges and queues that are missing; the user of GLIMPSE_BUS_URL needs all rights',
    )
    .option('--json', 'answer in JSON')
    .action(async (options: OutputOptions) => {
      const { services, compute } = findBrokers();
      if (services !== undefined) await declareForServices(services);
      if (compute !== undefined) await declareSnapshotTopology(compute);
      report(options, { declared: true }, 'Every exchange and queue is there.');
    });
  bus
    .command('permissions')
    .description('show the least rights of a user for each service, and whom each has to trust')
    .option('--json', 'answer in JSON')
    .action((options: OutputOptions) => {
      const all = users.map((user) => ({ service: user, ...permissionsOf(user), trusts: trustedBy[user] }));
      write(options.json === true ? JSON.stringify(all) : all.map(describe).join('\n'));
    });
}
