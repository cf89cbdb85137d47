import {
  ComponentSchemas,
  type JsonObject,
  type PublicEvent,
  SnapshotCancel,
  SnapshotReply,
  SnapshotRequest,
  publicEvents,
  snapshotCancelExamples,
  snapshotReplyExamples,
  snapshotRequestExamples,
} from '@glimpse/contracts';
import type { z } from 'zod';
import { eventsExchange, snapshotRequestsQueue, snapshotsExchange } from '../topology.js';
import { cloudEventHeadersSchema } from './cloud-event-headers.js';
import { notificationMessage } from './notification-message.js';
import { osloCallMessage, osloReplyMessage } from './oslo-messages.js';

const BINDING_VERSION = '0.3.0';

const INTRODUCTION = `What Glimpse takes from a RabbitMQ and publishes there.

Compute hosts ask for snapshots on \`${snapshotsExchange}\`; everybody who may listen is told of what happens on \`${eventsExchange}\`, as CloudEvents 1.0 in binary mode.
Services that listen to Glance are notified as by Glance where the operator switches that on.

Within a major version of the messages members are only added: receivers ignore those that they don't know.
Events are published at least once (\`id\` tells a repetition), those of one subject in the order of their changes; the ones marked \`x-live\` are kept for nobody and may be lost.`;

const reference = (...path: readonly string[]) => ({ $ref: `#/${path.join('/')}` });

const exchangeBinding = (name: string) => ({
  amqp: {
    is: 'routingKey',
    exchange: { name, type: 'topic', durable: true, autoDelete: false, vhost: '/' },
    bindingVersion: BINDING_VERSION,
  },
});

const examplesOf = (examples: Readonly<Record<string, unknown>>) =>
  Object.entries(examples).map(([name, payload]) => ({ name, payload }));

function snapshotMessages(schemas: ComponentSchemas) {
  const message = (
    name: string,
    summary: string,
    [schema, io]: readonly [z.ZodType, 'input' | 'output'],
    examples: Readonly<Record<string, unknown>>,
  ) => ({
    name,
    summary,
    contentType: 'application/json',
    payload: schemas.describe(schema, io),
    correlationId: { location: '$message.header#/correlation_id' },
    examples: examplesOf(examples),
  });
  return {
    snapshotCreate: message(
      'snapshot.create',
      'A compute host asks for an image of a disk.',
      [SnapshotRequest, 'input'],
      snapshotRequestExamples,
    ),
    snapshotCancel: message(
      'snapshot.cancel',
      'Ends a snapshot, or forbids one whose request has not come yet.',
      [SnapshotCancel, 'input'],
      snapshotCancelExamples,
    ),
    snapshotReply: message(
      'snapshot.reply',
      'What became of a message.',
      [SnapshotReply, 'output'],
      snapshotReplyExamples,
    ),
    osloCall: osloCallMessage,
    osloReply: osloReplyMessage,
  };
}

/** The messages of one request, and where they go. */
function snapshotParts(schemas: ComponentSchemas) {
  return {
    messages: snapshotMessages(schemas),
    channels: {
      snapshotRequests: {
        address: snapshotRequestsQueue,
        title: 'Snapshot requests',
        description:
          'Any routing key will do. Say who is to be answered by the properties `reply_to` and `correlation_id`; a call of oslo.messaging says it by `_reply_q` and `_msg_id` within its envelope.',
        messages: {
          snapshotCreate: reference('components', 'messages', 'snapshotCreate'),
          snapshotCancel: reference('components', 'messages', 'snapshotCancel'),
          osloCall: reference('components', 'messages', 'osloCall'),
        },
        bindings: exchangeBinding(snapshotsExchange),
      },
      snapshotReplies: {
        address: null,
        title: 'Replies',
        description: 'The queue that `reply_to` or `_reply_q` names, by the default exchange.',
        messages: {
          snapshotReply: reference('components', 'messages', 'snapshotReply'),
          osloReply: reference('components', 'messages', 'osloReply'),
        },
      },
    },
    operations: {
      takeSnapshotRequest: {
        action: 'receive',
        summary: 'Makes an image of a disk, or ends that.',
        channel: reference('channels', 'snapshotRequests'),
        bindings: { amqp: { ack: true, deliveryMode: 2, bindingVersion: BINDING_VERSION } },
        reply: {
          address: { location: '$message.header#/reply_to' },
          channel: reference('channels', 'snapshotReplies'),
        },
      },
    },
  };
}

/** `image.member.created` as `imageMemberCreated`. */
const camelCase = (name: string) => name.replace(/[._]([a-z])/g, (_, letter: string) => letter.toUpperCase());

function eventParts(events: readonly PublicEvent[], schemas: ComponentSchemas) {
  const named = events.map((event) => ({ key: camelCase(event.event.name), ...event }));
  const entries = <T>(make: (event: (typeof named)[number]) => T) =>
    Object.fromEntries(named.map((event) => [event.key, make(event)]));
  return {
    messages: entries(({ event, description, subject, isLive, examples }) => ({
      name: event.name,
      summary: description,
      contentType: 'application/json',
      headers: cloudEventHeadersSchema(event.name, subject),
      payload: schemas.describe(event.payload, 'output'),
      ...(isLive ? { 'x-live': true } : {}),
      ...(Object.keys(examples).length > 0 ? { examples: examplesOf(examples) } : {}),
    })),
    channels: entries(({ key, event, description }) => ({
      address: event.name,
      description,
      messages: { [key]: reference('components', 'messages', key) },
      bindings: exchangeBinding(eventsExchange),
    })),
    operations: Object.fromEntries(
      named.map(({ key, description }) => [
        `publish${key[0]!.toUpperCase()}${key.slice(1)}`,
        { action: 'send', summary: description, channel: reference('channels', key) },
      ]),
    ),
  };
}

/** Glance's, under their default names. */
const notificationParts = () => ({
  messages: { notification: notificationMessage },
  channels: Object.fromEntries(
    (['info', 'error'] as const).map((priority) => [
      `notifications${priority === 'info' ? 'Info' : 'Error'}`,
      {
        address: `notifications.${priority}`,
        title: `Notifications of priority ${priority.toUpperCase()}`,
        description: 'Where `notifications.driver` switches them on: docs/notifications.md.',
        messages: { notification: reference('components', 'messages', 'notification') },
        bindings: {
          amqp: {
            is: 'routingKey',
            exchange: { name: 'glance', type: 'topic', durable: false, autoDelete: false, vhost: '/' },
            bindingVersion: BINDING_VERSION,
          },
        },
      },
    ]),
  ),
  operations: {
    notify: { action: 'send', channel: reference('channels', 'notificationsInfo') },
    notifyOfErrors: { action: 'send', channel: reference('channels', 'notificationsError') },
  },
});

/** The AsyncAPI 3.0 document of what others exchange with Glimpse over RabbitMQ, made of the contracts. */
export function asyncApiDocument(): JsonObject {
  const schemas = new ComponentSchemas();
  const parts = [snapshotParts(schemas), eventParts(publicEvents, schemas), notificationParts()];
  const together = (key: 'channels' | 'operations' | 'messages') =>
    Object.assign({}, ...parts.map((part) => part[key])) as JsonObject;
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Glimpse messages',
      version: '1.0.0',
      description: INTRODUCTION,
      license: { name: 'Apache-2.0' },
    },
    defaultContentType: 'application/json',
    channels: together('channels'),
    operations: together('operations'),
    components: { messages: together('messages'), schemas: schemas.all },
  };
}
