import { z } from 'zod';
import { amqpUrl, flag, isAmqpUrl, wholeNumber, words } from '../option-types.js';
import { tlsFiles, tlsProblems } from './tls.js';

/** Options of `snapshots`: where requests come from, and whose word is taken. */
export const snapshotRequests = {
  busUrl: amqpUrl()
    .optional()
    .describe(
      'RabbitMQ that requests come from, e.g. that of the compute service: `amqp://user:password@host:port/vhost`. Default: bus_url; without RabbitMQ there nothing is taken.',
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
  prefetch: wholeNumber(1, 1_000).default(32).describe('Requests that one gateway handles at once.'),
  maxMessageBytes: wholeNumber(1_024, 8_388_608)
    .default(262_144)
    .describe('Longest request, in bytes; a longer one is not read.'),
  trustedPublishers: words()
    .default([])
    .describe(
      'Users of RabbitMQ whose word is taken on project, user and roles of a request (its property user-id, which RabbitMQ checks); `*` for whoever may publish to glimpse.snapshots. All others need a token in the request.',
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

interface SnapshotBus {
  readonly busUrl: string;
  readonly snapshots: { readonly busUrl?: string | undefined };
}

/** The RabbitMQ that requests for snapshots come from; undefined where there is none. */
export const snapshotBusUrl = ({ busUrl, snapshots }: SnapshotBus): string | undefined =>
  snapshots.busUrl ?? (isAmqpUrl(busUrl) ? busUrl : undefined);

interface SnapshotTls {
  readonly snapshots: { readonly busTls?: Parameters<typeof tlsProblems>[1] | undefined };
}

/** What is wrong with these options together. */
export const snapshotRequestProblems = ({ snapshots: { busTls } }: SnapshotTls): string[] =>
  busTls === undefined ? [] : tlsProblems('snapshots.bus_tls', busTls);
