import { type EventDefinition, type RpcOwner, jobEvents, snapshotEvents } from '@glimpse/contracts';

// Every name on the broker, and who gets which event.

/** Topic exchange of the events; the routing key is the event's name. */
export const eventsExchange = 'glimpse.events';

/** Topic exchange of notifications for others, unless `notifications.exchange` names another; oslo.messaging's, not ours. */
export const notificationsExchange = 'glance';

/** Exchange and queue of what could not be handled. */
export const deadLettersName = 'glimpse.dead-letters';

/** Direct exchange of the calls; the routing key is the queue. Who may publish here can reach no other queue. */
export const callsExchange = 'glimpse.calls';

/** Calls to a service; its replicas compete. */
export const rpcQueue = (service: string): string => `glimpse.${service}`;

/** Events for a service; its replicas compete. */
export const serviceQueue = (service: string): string => `glimpse.events.${service}`;

/** Events for one replica; gone when its connection is. */
export const instanceQueue = (service: string, instanceId: string): string =>
  `${serviceQueue(service)}.${instanceId}`;

/** Events that one replica listens to for a while: the `number`-th such queue of it. */
export const liveQueue = (service: string, instanceId: string, number: number): string =>
  `${instanceQueue(service, `${instanceId}-live`)}.${number}`;

/** Direct exchange by which a service puts its events into {@link retryQueue}. */
export const retryExchange = (service: string): string => `glimpse.retries.${service}`;

/** Where events of a service wait for another attempt. A queue for each pause, since a queue expires from its head only. */
export const retryQueue = (service: string, delayMs: number): string =>
  `${serviceQueue(service)}.retry.${delayMs}`;

/**
 * The events that services get by their own queue. Every publisher declares all of these queues, so that an event is
 * kept for a service that has never been started.
 */
export const subscriptions: Readonly<Record<string, readonly EventDefinition[]>> = {
  // To tell those who asked for a snapshot what became of it.
  'api-gateway': [snapshotEvents.completed, snapshotEvents.failed, snapshotEvents.cancelled],
  'store-worker': [jobEvents.ready],
};

/** The services that answer calls. */
export const answerers: readonly RpcOwner[] = ['registry', 'store-worker'];

/** The names of the events that `service` has in its queue. */
export const subscribedEvents = (service: string): string[] =>
  (subscriptions[service] ?? []).map((definition) => definition.name);

/** Whether some queue must take an event of that name. */
export const isSubscribed = (eventName: string): boolean =>
  Object.values(subscriptions).some((events) => events.some(({ name }) => name === eventName));

/** Topic exchange for requests of compute; everything that is published to it is one, whatever its routing key. */
export const snapshotsExchange = 'glimpse.snapshots';

/** The same for clients of oslo.messaging that declare exchanges as not durable; gone when the broker restarts. */
export const transientSnapshotsExchange = 'glimpse.snapshots.transient';

/** Requests of compute; the gateways compete. */
export const snapshotRequestsQueue = 'glimpse.snapshots.requests';

/** Direct exchange by which gateways put requests into {@link snapshotRetryQueue}. */
export const snapshotRetryExchange = 'glimpse.retries.snapshots';

/** Where a request waits for another attempt. */
export const snapshotRetryQueue = (delayMs: number): string => `${snapshotRequestsQueue}.retry.${delayMs}`;

/** How the names of queues begin in which compute gets its replies, where it does not leave them to the broker. */
export const snapshotReplyQueuePrefix = 'glimpse.snapshots.replies.';
