import {
  answerers,
  callsExchange,
  deadLettersName,
  eventsExchange,
  retryExchange,
  rpcQueue,
  serviceQueue,
  subscriptions,
} from './topology.js';

/** Who connects to the bus. */
export type BusUser = 'api-gateway' | 'registry' | 'store-worker' | 'manage';

/** Regular expressions over the names of exchanges and queues, as RabbitMQ takes them. */
export interface BusPermissions {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/** What RabbitMQ calls the exchange without a name, by which any queue is reached. */
const DEFAULT_EXCHANGE = 'amq.default';

const literally = (name: string) => name.replaceAll('.', '\\.');
const oneOf = (patterns: readonly string[]) => (patterns.length === 0 ? '^$' : `^(${patterns.join('|')})$`);

/** The queues that replicas of a service have for themselves; their ids begin with its name. */
const instanceQueues = (service: string) =>
  `${literally(serviceQueue(service))}\\.${literally(service)}-[^.]+(\\.\\d+)?`;

const isSubscriber = (service: string) => Object.hasOwn(subscriptions, service);
const isAnswerer = (service: string) => answerers.some((name) => name === service);

function permissionsOfService(service: Exclude<BusUser, 'manage'>): BusPermissions {
  const own = instanceQueues(service);
  return {
    configure: oneOf([own]),
    write: oneOf([
      literally(callsExchange),
      // Events come out of the registry's outbox alone.
      ...(service === 'registry' ? [literally(eventsExchange)] : []),
      // Answers go straight to whoever asked, and only the default exchange does that.
      ...(isAnswerer(service) ? [literally(DEFAULT_EXCHANGE)] : []),
      ...(isSubscriber(service) ? [literally(retryExchange(service)), literally(deadLettersName)] : []),
      own,
    ]),
    read: oneOf([
      ...(isAnswerer(service) ? [literally(rpcQueue(service))] : []),
      ...(isSubscriber(service) ? [literally(serviceQueue(service))] : []),
      literally(eventsExchange),
      own,
    ]),
  };
}

/**
 * The least rights with which a service works on queues that `glimpse-manage bus declare` has made (`bus.declare` off).
 * The operator's command, as `manage`, lists dead letters and puts them back; to declare it needs all rights.
 */
export const permissionsOf = (user: BusUser): BusPermissions =>
  user === 'manage'
    ? {
        configure: '^$',
        write: oneOf([literally(DEFAULT_EXCHANGE)]),
        read: oneOf([literally(deadLettersName)]),
      }
    : permissionsOfService(user);

/** Whose messages each of them takes beside its own (`bus.trusted_users`). */
export const trustedBy: Readonly<Record<BusUser, readonly BusUser[]>> = {
  'api-gateway': ['registry'],
  registry: ['api-gateway', 'store-worker', 'manage'],
  'store-worker': ['registry', 'manage'],
  manage: [],
};
