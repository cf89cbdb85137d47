import { randomUUID } from 'node:crypto';
import type { Config } from '@glimpse/config';
import { type Image, type NewImage, isInternalProperty } from '@glimpse/contracts';
import { fromDatabaseTime } from '@glimpse/persistence';
import {
  attributeSchemas,
  checkPropertyName,
  checkPropertyValue,
  checkQuota,
  checkValue,
} from './image-values.js';

/** The image that a caller asks for, with everything that they left open; throws where a value or a quota forbids it. */
export function makeImage(
  request: NewImage & { owner: string | null },
  now: string,
  config: Pick<Config, 'images' | 'limits'>,
): Image {
  const schemas = attributeSchemas(config.images);
  const tags = checkValue('tags', schemas.tags, request.tags ?? []);
  const properties = Object.entries(request.properties ?? {});
  for (const [name, value] of properties) checkPropertyValue(name, value);
  checkQuota(
    'properties',
    properties.filter(([name]) => !isInternalProperty(name)).length,
    config.limits.propertyQuota,
  );
  checkQuota('tags', tags.length, config.limits.tagQuota);
  return {
    id: request.id ?? randomUUID(),
    name: checkValue('name', schemas.name, request.name ?? null),
    status: 'queued',
    visibility: request.visibility ?? 'shared',
    protected: request.protected ?? false,
    osHidden: request.osHidden ?? false,
    owner: checkValue('owner', schemas.owner, request.owner),
    diskFormat: checkValue('disk_format', schemas.disk_format, request.diskFormat ?? null),
    containerFormat: checkValue(
      'container_format',
      schemas.container_format,
      request.containerFormat ?? null,
    ),
    size: null,
    virtualSize: null,
    checksum: null,
    osHashAlgo: null,
    osHashValue: null,
    minRam: checkValue('min_ram', schemas.min_ram, request.minRam ?? 0),
    minDisk: checkValue('min_disk', schemas.min_disk, request.minDisk ?? 0),
    createdAt: fromDatabaseTime(now),
    updatedAt: fromDatabaseTime(now),
    tags: [...new Set(tags)],
    properties: request.properties ?? {},
    stores: [],
  };
}

/** Throws where the request has a property that only the service sets. */
export function checkPropertyNames(request: NewImage): void {
  for (const name of Object.keys(request.properties ?? {})) checkPropertyName(name);
}
