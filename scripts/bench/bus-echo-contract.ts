import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BusOptions } from '@glimpse/bus';
import { ConfigSchema } from '@glimpse/config';
import { type RpcOwner, rpc } from '@glimpse/contracts';
import { z } from 'zod';

// What both ends of the measured calls share.

/** A library as compiled: Node runs TypeScript by leaving the types out, which does not do for decorators. */
const load = (library: string): Promise<unknown> =>
  import(pathToFileURL(join(import.meta.dirname, '../../dist/libs', library, 'src/index.js')).href);

export const { createBusStrategy, openBus } = (await load('bus')) as typeof import('@glimpse/bus');
const { createLogger } = (await load('observability')) as typeof import('@glimpse/observability');

const Document = z.object({ text: z.string() });

/** What travels, both ways: 1 KB. */
export const sample = { text: 'x'.repeat(1_000) };

/** A call to a service that exists for the measurement only, so that no real one competes for it. */
export const echoCall = (service: string) => ({
  ...rpc('registry.bench.echo', { request: Document, response: Document }),
  owner: service as RpcOwner,
});

/** The defaults of the configuration. */
export const busOptions = (url: string, service: string): BusOptions => ({
  url,
  service,
  instanceId: `${service}-${process.pid}`,
  options: ConfigSchema.parse({}).bus,
  logger: createLogger(service, { level: 'error' }),
});
