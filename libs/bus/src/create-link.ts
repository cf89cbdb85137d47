import type { BusOptions } from './bus-options.js';
import { MemoryClientLink } from './memory/memory-client-link.js';
import { MemoryServerLink } from './memory/memory-server-link.js';
import { RabbitClientLink } from './rabbitmq/rabbit-client-link.js';
import { RabbitServerLink } from './rabbitmq/rabbit-server-link.js';
import type { ClientLink, ServerLink } from './transport.js';

const isMemory = (url: string) => url.startsWith('memory:');

/** The link that the URL names. */
export const createClientLink = (bus: BusOptions): ClientLink =>
  isMemory(bus.url) ? new MemoryClientLink(bus) : new RabbitClientLink(bus);

/** The link that the URL names. */
export const createServerLink = (bus: BusOptions): ServerLink =>
  isMemory(bus.url) ? new MemoryServerLink(bus) : new RabbitServerLink(bus);
