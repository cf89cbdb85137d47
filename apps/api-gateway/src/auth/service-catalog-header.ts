import { z } from 'zod';
import { type ServicePlace, baseOfEndpoint } from './remote-service.js';

/** The catalogue as keystonemiddleware passes it on, in the form of Keystone's version 2. */
const Catalog = z.array(
  z.object({ type: z.string(), endpoints: z.array(z.record(z.string(), z.unknown())) }),
);

/** The endpoint of the image service in the place; undefined where the header has none. */
export function findInCatalogHeader(header: unknown, place: ServicePlace): string | undefined {
  const catalog = Catalog.safeParse(parse(header));
  if (!catalog.success) return undefined;
  const endpoints = catalog.data
    .filter(({ type }) => type === 'image')
    .flatMap((service) => service.endpoints);
  const url = endpoints.find(({ region }) => region === place.region)?.[`${place.interface}URL`];
  return typeof url === 'string' ? baseOfEndpoint(url) : undefined;
}

function parse(header: unknown): unknown {
  try {
    return typeof header === 'string' ? JSON.parse(header) : undefined;
  } catch {
    return undefined;
  }
}
