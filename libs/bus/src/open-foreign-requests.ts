import type { ForeignBus, ForeignRequests } from './foreign-requests.js';
import { RabbitForeignRequests } from './rabbitmq/rabbit-foreign-requests.js';

/** Requests of compute from the RabbitMQ that `bus.url` names; nothing connects before `open`. */
export const createForeignRequests = (bus: ForeignBus): ForeignRequests => new RabbitForeignRequests(bus);
