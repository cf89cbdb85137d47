import { z } from 'zod';
import { amqpUrl, flag, isAmqpUrl, wholeNumber, words } from '../option-types.js';
import { tlsFiles, tlsProblems } from './tls.js';

/** Options of `snapshots`: where requests come from, and whose word is taken. */
export const snapshotRequests = {
  busUrl: amqpUrl()
    .optional()
    .describe(
      'RabbitMQ that requests come from, e.g. that of the compute service: `amqp://user:password@host:port/vhost`, with a user that nobody else logs in as. Default: bus_url; without RabbitMQ there nothing is taken.',
    ),
  busTls: z
    .strictObject({
      ...tlsFiles('that RabbitMQ'),
      serverName: z
        .string()
        .optional()
        .describe('Name that its certificate must have, where it is not the one in snapshots.bus_url.'),
    })
    .optional()
    .describe('TLS to snapshots.bus_url; default: as bus.tls.'),
  busTrustedUsers: words()
    .default([])
    .describe(
      'Users of the RabbitMQ in snapshots.bus_url, beside the one in that URL, as whom gateways and glimpse-manage log in there: they say who published what they pass on. Those of bus.trusted_users are of another RabbitMQ, and nobody there.',
    ),
  prefetch: wholeNumber(1, 1_000).default(32).describe('Requests that one gateway handles at once.'),
  maxMessageBytes: wholeNumber(1_024, 8_388_608)
    .default(262_144)
    .describe('Longest request, in bytes; a longer one is not read.'),
  trustedPublishers: words()
    .default([])
    .describe(
      'Users of the RabbitMQ that requests come from (snapshots.bus_url), whose word is taken on project, user and roles of a request (its property user-id, which that RabbitMQ checks against its own users); `*` for whoever may publish to glimpse.snapshots. All others need a token in the request.',
    ),
  defaultRoles: words().default(['member', 'reader']).describe('Roles where a trusted publisher names none.'),
  replyQueues: words()
    .default(['amq.rabbitmq.reply-to.', 'amq.gen-', 'reply_', 'glimpse.snapshots.replies.'])
    .describe(
      'How the names of queues begin that replies may be sent to: Glimpse writes, in its own name, where a request tells it to.',
    ),
  transientExchange: flag()
    .default(false)
    .describe(
      'Also take requests from the exchange glimpse.snapshots.transient, which is not durable: for clients of oslo.messaging that declare it so (amqp_durable_queues off).',
    ),
};

interface Tls {
  readonly caFile?: string | undefined;
  readonly certFile?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly serverName?: string | undefined;
}

interface SnapshotBus<Bus> {
  readonly busUrl: string;
  readonly bus: Bus;
  readonly snapshots: {
    readonly busUrl?: string | undefined;
    readonly busTls?: Tls | undefined;
    readonly busTrustedUsers: readonly string[];
  };
}

/**
 * The RabbitMQ that requests for snapshots come from, and how it is used; undefined where there is none. The names of users
 * are those of that RabbitMQ: who is one of ours on the services' own may be anybody on another.
 */
export function snapshotBus<Bus extends { readonly tls: Tls; readonly trustedUsers: readonly string[] }>({
  busUrl,
  bus,
  snapshots,
}: SnapshotBus<Bus>): { readonly url: string; readonly options: Bus } | undefined {
  const url = snapshots.busUrl ?? (isAmqpUrl(busUrl) ? busUrl : undefined);
  if (url === undefined) return undefined;
  const trustedUsers = url === busUrl ? bus.trustedUsers : snapshots.busTrustedUsers;
  return { url, options: { ...bus, tls: snapshots.busTls ?? bus.tls, trustedUsers } };
}

/** What is wrong with these options together. */
export function snapshotRequestProblems({ busUrl, snapshots }: Omit<SnapshotBus<never>, 'bus'>): string[] {
  const { busTls, busTrustedUsers } = snapshots;
  const isOther = snapshots.busUrl !== undefined && snapshots.busUrl !== busUrl;
  return [
    ...(busTls === undefined ? [] : tlsProblems('snapshots.bus_tls', busTls)),
    ...(isOther || busTrustedUsers.length === 0
      ? []
      : [
          'snapshots.bus_trusted_users: is for a RabbitMQ in snapshots.bus_url; here bus.trusted_users counts',
        ]),
  ];
}
