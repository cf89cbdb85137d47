import { readFileSync } from 'node:fs';
import { isReservedProperty } from '@glimpse/contracts';
import { z } from 'zod';

/** Custom properties that the published schema names, and those of them that a new image must have. */
export interface NamedProperties {
  readonly properties: Readonly<Record<string, z.ZodType<string | null>>>;
  readonly required: readonly string[];
}

const UUID = /^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$/;
const PROPERTY_KEYS = 'https://docs.openstack.org/python-glanceclient/latest/cli/property-keys.html';

const named = (schema: z.ZodType<string | null>, description: string) =>
  schema.meta({ description, is_base: false });

/** What Glance's own schema-image.json lists. */
const defaults: NamedProperties = {
  properties: {
    kernel_id: named(
      z.string().regex(UUID).nullable(),
      'ID of image stored in Glance that should be used as the kernel when booting an AMI-style image.',
    ),
    ramdisk_id: named(
      z.string().regex(UUID).nullable(),
      'ID of image stored in Glance that should be used as the ramdisk when booting an AMI-style image.',
    ),
    instance_uuid: named(
      z.string(),
      'Metadata which can be used to record which instance this image is associated with. (Informational only, does not create an instance snapshot.)',
    ),
    architecture: named(z.string(), `Operating system architecture as specified in ${PROPERTY_KEYS}`),
    os_distro: named(
      z.string(),
      `Common name of operating system distribution as specified in ${PROPERTY_KEYS}`,
    ),
    os_version: named(z.string(), 'Operating system version as specified by the distributor.'),
    description: named(z.string(), 'A human-readable string describing this image.'),
    cinder_encryption_key_id: named(
      z.string(),
      'Identifier in the OpenStack Key Management Service for the encryption key for the Block Storage Service to use when mounting a volume created from this image',
    ),
    cinder_encryption_key_deletion_policy: named(
      z.enum(['on_image_deletion', 'do_not_delete']),
      "States the condition under which the Image Service will delete the object associated with the 'cinder_encryption_key_id' image property. If this property is missing, the Image Service will take no action.",
    ),
  },
  required: [],
};

/** Properties are stored as text, so no other type can be one. */
const Fragment = z.looseObject({
  type: z.union([
    z.literal('string'),
    z.tuple([z.literal('null'), z.literal('string')]),
    z.tuple([z.literal('string'), z.literal('null')]),
  ]),
});
const Fragments = z.record(z.string(), Fragment);
const SchemaFile = z.union([
  z.strictObject({ properties: Fragments, required: z.array(z.string()).default([]) }),
  Fragments.transform((properties) => ({ properties, required: [] })),
]);

function parseFile(text: string, coreKeys: readonly string[]): NamedProperties {
  const parsed = SchemaFile.safeParse(JSON.parse(text));
  if (!parsed.success)
    throw new Error(
      'it must map names of properties to JSON Schemas of the type "string", or ["null", "string"]',
    );
  const { properties, required } = parsed.data;
  const taken = Object.keys(properties).filter((name) => coreKeys.includes(name) || isReservedProperty(name));
  if (taken.length > 0) throw new Error(`no custom property can be named ${taken.join(', ')}`);
  const unknown = required.filter((name) => !coreKeys.includes(name) && !Object.hasOwn(properties, name));
  if (unknown.length > 0) throw new Error(`it requires what it does not describe: ${unknown.join(', ')}`);
  const schemas = Object.entries(properties).map(([name, fragment]) => {
    const schema = z.fromJSONSchema(fragment) as z.ZodType<string | null>;
    return [name, schema.meta({ ...fragment, is_base: false })] as const;
  });
  return { properties: Object.fromEntries(schemas), required };
}

/**
 * The named properties: those of the deployer's `schema-image.json`, or else Glance's own. Throws where the file can't
 * be read, is no JSON, or names what is no custom property.
 */
export function namedProperties(file: string | undefined, coreKeys: readonly string[]): NamedProperties {
  if (file === undefined) return defaults;
  try {
    return parseFile(readFileSync(file, 'utf8'), coreKeys);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`images.schema_file ${file}: ${reason}`, { cause: error });
  }
}
