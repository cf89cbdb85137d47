import {
  answerers,
  callsExchange,
  deadLettersName,
  eventsExchange,
  notificationsExchange,
  retryExchange,
  rpcQueue,
  serviceQueue,
  snapshotReplyQueuePrefix,
  snapshotRequestsQueue,
  snapshotRetryExchange,
  snapshotsExchange,
  subscriptions,
  transientSnapshotsExchange,
} from './topology.js';

/** Who connects to the bus. `compute` asks for snapshots, `compute-oslo` does so with the oslo.messaging library. */
export type BusUser = 'api-gateway' | 'registry' | 'store-worker' | 'manage' | 'compute' | 'compute-oslo';

/** Regular expressions over the names of exchanges and queues, as RabbitMQ takes them. */
export interface BusPermissions {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
  /** Of a topic exchange: over routing keys, as RabbitMQ's topic permissions take them. */
  readonly topics?: readonly { readonly exchange: string; readonly write: string; readonly read: string }[];
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

type ServiceUser = 'api-gateway' | 'registry' | 'store-worker';

/** What those who take the requests of compute need beside the rest; the replies go to queues that compute names. */
const takingRequests = {
  configure: [literally(transientSnapshotsExchange)],
  write: [literally(DEFAULT_EXCHANGE), literally(snapshotRetryExchange), literally(snapshotRequestsQueue)],
  read: [literally(snapshotRequestsQueue), literally(transientSnapshotsExchange)],
};
const takingNone: typeof takingRequests = { configure: [], write: [], read: [] };

function permissionsOfService(service: ServiceUser): BusPermissions {
  const own = instanceQueues(service);
  const requests = service === 'api-gateway' ? takingRequests : takingNone;
  return {
    configure: oneOf([own, ...requests.configure]),
    write: oneOf([
      literally(callsExchange),
      // Events and notifications come out of the registry's database alone.
      ...(service === 'registry' ? [literally(eventsExchange), literally(notificationsExchange)] : []),
      // Answers go straight to whoever asked, and only the default exchange does that.
      ...(isAnswerer(service) ? [literally(DEFAULT_EXCHANGE)] : []),
      ...(isSubscriber(service) ? [literally(retryExchange(service)), literally(deadLettersName)] : []),
      ...requests.write,
      own,
    ]),
    read: oneOf([
      ...(isAnswerer(service) ? [literally(rpcQueue(service))] : []),
      ...(isSubscriber(service) ? [literally(serviceQueue(service))] : []),
      literally(eventsExchange),
      ...requests.read,
      own,
    ]),
  };
}

/** Events that compute may listen to. */
const snapshotEventsOnly = [{ exchange: eventsExchange, write: '^$', read: '^snapshot\\..+$' }];

function permissionsOfCompute(usesOslo: boolean): BusPermissions {
  const queues = [`${literally(snapshotReplyQueuePrefix)}.+`, 'amq\\.gen-.+'];
  const exchange = literally(snapshotsExchange);
  // That library declares the exchange, which takes a right to even where it is there, and binds nothing.
  const declared = [`${exchange}(\\.transient)?`, 'reply_.+'];
  const own = usesOslo ? [...declared, ...queues] : queues;
  return {
    configure: oneOf(own),
    write: oneOf(usesOslo ? own : [exchange, ...queues]),
    read: oneOf([literally(eventsExchange), ...(usesOslo ? ['reply_.+'] : []), ...queues]),
    topics: snapshotEventsOnly,
  };
}

/**
 * The least rights with which a service works on queues that `glimpse-manage bus declare` has made (`bus.declare` off).
 * The operator's command, as `manage`, lists dead letters and puts them back; to declare it needs all rights.
 */
export function permissionsOf(user: BusUser): BusPermissions {
  if (user === 'compute' || user === 'compute-oslo') return permissionsOfCompute(user === 'compute-oslo');
  if (user !== 'manage') return permissionsOfService(user);
  return {
    configure: '^$',
    write: oneOf([literally(DEFAULT_EXCHANGE)]),
    read: oneOf([literally(deadLettersName)]),
  };
}

/** Whose messages each of them takes beside its own (`bus.trusted_users`). */
export const trustedBy: Readonly<Record<BusUser, readonly BusUser[]>> = {
  'api-gateway': ['registry', 'manage'],
  registry: ['api-gateway', 'store-worker', 'manage'],
  'store-worker': ['registry', 'manage'],
  manage: [],
  compute: [],
  'compute-oslo': [],
};
