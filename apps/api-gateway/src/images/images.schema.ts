import { z } from 'zod';
import type { Config } from '@glimpse/config';
import { type ImageStatus, ServiceError, visibilities } from '@glimpse/contracts';
import { namedProperties } from './named-properties.js';

const UUID = /^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$/;
const INT32_MAX = 2_147_483_647;

/** In the order of Glance's schema. */
const publishedStatuses = [
  'queued',
  'saving',
  'active',
  'killed',
  'deleted',
  'uploading',
  'importing',
  'pending_delete',
  'deactivated',
] as const satisfies ImageStatus[];

const text = (maxLength: number) => z.string().max(maxLength);
const amount = () => z.int().min(0).max(INT32_MAX);
const described = <S extends z.ZodType>(schema: S, description: string) => schema.meta({ description });
const readOnly = <S extends z.ZodType>(schema: S, description: string) =>
  schema.meta({ readOnly: true, description });
const LocationItem = z.looseObject({
  url: text(255),
  metadata: z.record(z.string(), z.unknown()),
  validation_data: z
    .strictObject({
      checksum: z.string().length(32).optional(),
      os_hash_algo: text(64),
      os_hash_value: text(128),
    })
    .optional()
    .meta({
      writeOnly: true,
      description:
        "Values to be used to populate the corresponding image properties. If the image status is not 'queued', " +
        'values must exactly match those already contained in the image properties.',
    }),
});

type ImageSchemaOptions = Pick<Config['images'], 'diskFormats' | 'containerFormats'> &
  Partial<Pick<Config['images'], 'schemaFile'>>;

function coreSchema({ diskFormats, containerFormats }: ImageSchemaOptions) {
  return z.object({
    id: described(z.string().regex(UUID), 'An identifier for the image'),
    name: described(text(255).nullable(), 'Descriptive name for the image'),
    status: readOnly(z.enum(publishedStatuses), 'Status of the image'),
    visibility: described(z.enum(visibilities), 'Scope of image accessibility'),
    protected: described(z.boolean(), 'If true, image will not be deletable.'),
    os_hidden: described(z.boolean(), 'If true, image will not appear in default image list response.'),
    checksum: readOnly(text(32).nullable(), 'md5 hash of image contents.'),
    os_hash_algo: readOnly(text(64).nullable(), 'Algorithm to calculate the os_hash_value'),
    os_hash_value: readOnly(
      text(128).nullable(),
      'Hexdigest of the image contents using the algorithm specified by the os_hash_algo',
    ),
    owner: described(text(255).nullable(), 'Owner of the image'),
    size: readOnly(z.int().nullable(), 'Size of image file in bytes'),
    virtual_size: readOnly(z.int().nullable(), 'Virtual size of image in bytes'),
    container_format: described(z.enum(containerFormats).nullable(), 'Format of the container'),
    disk_format: described(z.enum(diskFormats).nullable(), 'Format of the disk'),
    created_at: readOnly(z.string(), 'Date and time of image registration'),
    updated_at: readOnly(z.string(), 'Date and time of the last image modification'),
    tags: described(z.array(text(255)), 'List of strings related to the image'),
    direct_url: readOnly(z.string(), 'URL to access the image file kept in external store'),
    min_ram: described(amount(), 'Amount of ram (in MB) required to boot image.'),
    min_disk: described(amount(), 'Amount of disk space (in GB) required to boot image.'),
    self: readOnly(z.string(), 'An image self url'),
    file: readOnly(z.string(), 'An image file url'),
    schema: readOnly(z.string(), 'An image schema url'),
    locations: described(
      z.array(LocationItem),
      'A set of URLs to access the image file kept in external store',
    ),
  });
}

/**
 * The image document as it is published and checked: the one source of `/v2/schemas/image` and of the rules for
 * create and PATCH. Keys that it does not name are custom properties, which are strings. `stores` is not named: Glance
 * does not either, and the glance command makes options of all names and has a `--stores` of its own.
 */
export function createImageSchema(options: ImageSchemaOptions) {
  const core = coreSchema(options);
  const { properties } = namedProperties(options.schemaFile, Object.keys(core.shape));
  // Names that are known only when the service starts can't be part of the type.
  return core
    .extend(properties as object)
    .partial()
    .catchall(z.string());
}

export type ImageSchema = ReturnType<typeof createImageSchema>;

/** As `createImageSchema`, for new images: the deployer may demand some properties of them. */
export function createNewImageSchema(options: ImageSchemaOptions): ImageSchema {
  const schema = createImageSchema(options);
  const { required } = namedProperties(options.schemaFile, Object.keys(coreSchema(options).shape));
  return schema.required(Object.fromEntries(required.map((key) => [key, true])) as object) as ImageSchema;
}

/** Whether the schema names `key` and it is no custom property. */
export function isCoreKey(schema: ImageSchema, key: string): boolean {
  return Object.hasOwn(schema.shape, key) && !isNamedProperty(Reflect.get(schema.shape, key));
}

/** Whether what the schema names is a custom property. */
export function isNamedProperty(schema: z.ZodType): boolean {
  const inner =
    schema instanceof z.ZodOptional || schema instanceof z.ZodNonOptional ? schema.unwrap() : schema;
  return inner === schema ? schema.meta()?.['is_base'] === false : isNamedProperty(inner as z.ZodType);
}

/** Checks (part of) an image document. Throws REQUEST_INVALID with the first thing that is wrong. */
export function checkImageDocument(schema: ImageSchema, document: unknown): z.output<ImageSchema> {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path.join('.') ?? '';
  throw new ServiceError(
    'REQUEST_INVALID',
    `Provided object does not match schema 'image': ${path === '' ? '' : `${path}: `}${issue?.message}`,
  );
}
