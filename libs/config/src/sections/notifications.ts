import { notificationGroups, notificationTypes } from '@glimpse/contracts';
import { z } from 'zod';
import { amqpUrl, flag, isAmqpUrl, wholeNumber, words } from '../option-types.js';

const DAY_MS = 86_400_000;
const known: ReadonlySet<string> = new Set([...notificationTypes, ...notificationGroups]);
/** AMQP's short strings. */
const amqpName = () => z.string().min(1).max(200);

/** Notifications of oslo.messaging, as Glance sends them: for Ceilometer and others. */
export const notifications = z
  .strictObject({
    driver: z
      .enum(['noop', 'messagingv2', 'messaging', 'log'])
      .default('noop')
      .describe(
        "How others are notified as Glance does it: `messagingv2` over RabbitMQ, `messaging` the same without oslo.messaging's envelope, `log` in the registry's log, `noop` not at all.",
      ),
    transportUrl: amqpUrl()
      .optional()
      .describe(
        'The RabbitMQ that notifications go to; default: bus_url, where that is one. Certificates are those of bus.tls.',
      ),
    topics: words()
      .pipe(z.array(amqpName()).min(1))
      .default(['notifications'])
      .describe('Topics; each gets all notifications, in the queues <topic>.info and <topic>.error.'),
    exchange: amqpName()
      .default('glance')
      .describe("The topic exchange of notifications (Glance's control_exchange)."),
    durable: flag()
      .default(false)
      .describe(
        "Make exchange and queues durable, as Glance's amqp_durable_queues. What is there already is used as it is.",
      ),
    quorum: flag()
      .default(false)
      .describe("Make quorum queues, which are durable, as Glance's rabbit_quorum_queue."),
    publisherId: z
      .string()
      .min(1)
      .max(255)
      .default('image.localhost')
      .describe("Who notifies (Glance's default_publisher_id)."),
    disabledNotifications: words()
      .pipe(
        z.array(
          z.string().refine((name) => known.has(name), {
            error: ({ input }) => `${String(input)} is neither a type of notifications nor a group of them`,
          }),
        ),
      )
      .default([])
      .describe(
        'Types of notifications that are not sent, e.g. image.send, or whole groups of them: the part before the first dot.',
      ),
    retry: wholeNumber(-1, 1_000_000)
      .default(-1)
      .describe(
        'How often a notification that could not be sent is tried again; -1 for as long as max_age_ms lets it.',
      ),
    maxAgeMs: wholeNumber(1_000)
      .default(7 * DAY_MS)
      .describe('Notifications that could not be sent are given up after this time, in milliseconds.'),
    retentionMs: wholeNumber(0)
      .default(3_600_000)
      .describe('How long notifications that were sent are kept, in milliseconds.'),
    batchSize: wholeNumber(1, 10_000).default(200).describe('Notifications sent in one go.'),
    sendBuffer: wholeNumber(1, 1_000_000)
      .default(10_000)
      .describe(
        'Downloads that one gateway remembers for image.send while the registry is away; beyond it the oldest are forgotten.',
      ),
  })
  .prefault({});

interface Notifying {
  readonly busUrl: string;
  readonly notifications: z.output<typeof notifications>;
}

/** What is wrong with where notifications are to go. */
export function notificationProblems({ busUrl, notifications: options }: Notifying): string[] {
  const needsBroker = options.driver === 'messagingv2' || options.driver === 'messaging';
  return needsBroker && options.transportUrl === undefined && !isAmqpUrl(busUrl)
    ? [
        `notifications.transport_url: must be set for the driver ${options.driver}, since bus_url is no RabbitMQ`,
      ]
    : [];
}
