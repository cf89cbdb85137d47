import type { Config } from '@glimpse/config';
import {
  type Image,
  type ImageChange,
  ServiceError,
  type WritableAttribute,
  isInternalProperty,
} from '@glimpse/contracts';
import type { LocationChange } from '../locations/location-draft.js';
import type { PropertyOperation } from '../property-protection/protection-file.js';
import {
  type AttributeSchemas,
  attributeSchemas,
  checkPropertyName,
  checkPropertyValue,
  checkQuota,
  checkValue,
  protectedProperty,
} from './image-values.js';

type AttributeChange = Extract<ImageChange, { target: 'attribute' }>;
type PropertyChange = Extract<ImageChange, { target: 'property' }>;

/** What the rules of a change depend on beside the image. */
export interface ChangeRules {
  readonly isAdmin: boolean;
  /** Throws where the caller may not give the image this visibility. */
  mayPublishAs(visibility: Image['visibility']): void;
  /** Whether the caller may do this with the custom property. */
  mayProperty(operation: PropertyOperation, name: string): boolean;
  /** Changes the draft's locations, and what they change of the image. */
  changeLocations(draft: Image, change: LocationChange): void;
  readonly images: Pick<Config['images'], 'diskFormats' | 'containerFormats'>;
  readonly limits: Pick<Config['limits'], 'propertyQuota' | 'tagQuota'>;
}

/**
 * The image after all of the changes, in their order (spec/api-images.md section 4.4); the first that is not allowed
 * throws, and then none counts.
 */
export function applyChanges(image: Image, changes: readonly ImageChange[], rules: ChangeRules): Image {
  const schemas = attributeSchemas(rules.images);
  const draft = { ...image, properties: copyProperties(image.properties) };
  for (const change of changes) {
    if (change.target === 'locations') rules.changeLocations(draft, change);
    else if (change.target === 'property') changeProperty(draft, change, rules);
    else changeAttribute(draft, change, rules, schemas);
  }
  checkPropertyQuota(image, draft, rules.limits.propertyQuota);
  return draft;
}

/** Without a prototype, so that a property may have any name. */
const copyProperties = (properties: Image['properties']): Image['properties'] =>
  Object.assign(Object.create(null) as Image['properties'], properties);

function changeProperty(draft: Image, { op, name, value }: PropertyChange, rules: ChangeRules): void {
  checkPropertyName(name);
  const isThere = Object.hasOwn(draft.properties, name);
  // What the caller may not read is, to them, not there; but they don't get to put another one in its place.
  const isKnown = isThere && rules.mayProperty('read', name);
  if (op === 'add' && isKnown)
    throw new ServiceError('PROPERTY_DUPLICATE', `Property ${name} already present.`);
  if ((op === 'replace' || op === 'remove') && !isKnown)
    throw new ServiceError('PROPERTY_NOT_FOUND', `Property ${name} does not exist.`);
  const operation = isThere ? (op === 'remove' ? 'delete' : 'update') : 'create';
  if (isThere !== isKnown || !rules.mayProperty(operation, name)) throw protectedProperty(name);
  if (op === 'remove') delete draft.properties[name];
  else draft.properties[name] = checkPropertyValue(name, value ?? null);
}

function changeAttribute(
  draft: Image,
  { op, name, value }: AttributeChange,
  rules: ChangeRules,
  schemas: AttributeSchemas,
): void {
  if (op === 'remove') throw new ServiceError('PROPERTY_FORBIDDEN', `Property ${name} may not be removed.`);
  if (op === 'add') throw new ServiceError('PROPERTY_DUPLICATE', `Property ${name} already present.`);
  setters[name](draft, value, rules, schemas);
}

type Setter = (draft: Image, value: unknown, rules: ChangeRules, schemas: AttributeSchemas) => void;

function assertFormatIsOpen(draft: Image, name: WritableAttribute): void {
  if (draft.status !== 'queued' && draft.status !== 'importing')
    throw new ServiceError(
      'PROPERTY_FORBIDDEN',
      `Attribute ${name} can be only replaced for a queued image.`,
    );
}

const setters: Record<WritableAttribute, Setter> = {
  name: (draft, value, _, schemas) => {
    draft.name = checkValue('name', schemas.name, value);
  },
  visibility: (draft, value, rules, schemas) => {
    const visibility = checkValue('visibility', schemas.visibility, value);
    rules.mayPublishAs(visibility);
    draft.visibility = visibility;
  },
  protected: (draft, value, _, schemas) => {
    draft.protected = checkValue('protected', schemas.protected, value);
  },
  os_hidden: (draft, value, _, schemas) => {
    draft.osHidden = checkValue('os_hidden', schemas.os_hidden, value);
  },
  owner: (draft, value, rules, schemas) => {
    const owner = checkValue('owner', schemas.owner, value);
    if (!rules.isAdmin)
      throw new ServiceError('ACTION_FORBIDDEN', 'You are not permitted to change the owner.');
    draft.owner = owner;
  },
  disk_format: (draft, value, _, schemas) => {
    const diskFormat = checkValue('disk_format', schemas.disk_format, value);
    assertFormatIsOpen(draft, 'disk_format');
    draft.diskFormat = diskFormat;
  },
  container_format: (draft, value, _, schemas) => {
    const containerFormat = checkValue('container_format', schemas.container_format, value);
    assertFormatIsOpen(draft, 'container_format');
    draft.containerFormat = containerFormat;
  },
  min_ram: (draft, value, _, schemas) => {
    draft.minRam = checkValue('min_ram', schemas.min_ram, value);
  },
  min_disk: (draft, value, _, schemas) => {
    draft.minDisk = checkValue('min_disk', schemas.min_disk, value);
  },
  tags: (draft, value, rules, schemas) => {
    const tags = checkValue('tags', schemas.tags, value);
    checkQuota('tags', tags.length, rules.limits.tagQuota);
    draft.tags = [...new Set(tags)];
  },
};

/** An image that is over its quota already may lose properties, but gets no new one. */
function checkPropertyQuota(before: Image, after: Image, quota: number): void {
  const isNew = (name: string) => !Object.hasOwn(before.properties, name);
  const names = Object.keys(after.properties).filter((name) => !isInternalProperty(name));
  if (names.some(isNew)) checkQuota('properties', names.length, quota);
}
