import { z } from 'zod';
import { byteSize, flag, wholeNumber, words } from '../option-types.js';

/** What can be done with data on its way into an image, in the order in which it is done. */
export const importStepNames = [
  'image_decompression',
  'ova_unpacking',
  'image_conversion',
  'inject_image_metadata',
] as const;
export type ImportStepName = (typeof importStepNames)[number];

const isStep = (name: string): name is ImportStepName => importStepNames.some((step) => step === name);

/** The steps of an import that are switched on. */
export const importSteps = words()
  .refine((names) => names.every(isStep), { error: `must be of ${importStepNames.join(', ')}` })
  .transform((names) => importStepNames.filter((step) => names.includes(step)))
  .default([])
  .describe(
    'What is done with imported data, always in this order: image_decompression, ova_unpacking, image_conversion, inject_image_metadata; none by default. Every store-worker needs qemu-utils, xz-utils and bzip2 for them.',
  );

export const scratch = z
  .strictObject({
    dir: z
      .string()
      .min(1)
      .optional()
      .describe(
        'Directory on each store-worker for data that is being converted; default: `scratch` in data_dir. What it loses nobody misses.',
      ),
    maxSize: byteSize()
      .default(0)
      .describe(
        'Bytes that one store-worker may have there at a time; may have a unit (200GB); 0 for as many as the disk has.',
      ),
    maxAgeMs: wholeNumber(10_000)
      .default(600_000)
      .describe('What nobody has touched there for this long was left by a dead worker, in milliseconds.'),
  })
  .prefault({});

export const decompression = z
  .strictObject({
    maxRatio: wholeNumber(1)
      .default(500)
      .describe('How many times larger than its compressed form data may be, beyond its first 64 MiB.'),
  })
  .prefault({});

export const conversion = z
  .strictObject({
    outputFormat: z
      .enum(['raw', 'qcow2', 'vmdk'])
      .default('raw')
      .describe('What image_conversion makes of imported images: raw, qcow2 or vmdk.'),
    onRequest: flag()
      .default(false)
      .describe(
        'Offer `POST /v2/images/{id}/actions/convert`, which makes a new image in another format. Every store-worker needs qemu-utils for it.',
      ),
    timeoutMs: wholeNumber(1_000)
      .default(21_600_000)
      .describe('How long one conversion may take, in milliseconds.'),
    cpuSeconds: wholeNumber(1).default(7_200).describe('CPU time that one conversion may take, in seconds.'),
    memory: byteSize()
      .default(2_147_483_648)
      .describe('Address space that a conversion may have; may have a unit (2GB).'),
  })
  .prefault({});

export const injectMetadata = z
  .strictObject({
    inject: z
      .record(z.string().min(1).max(255), z.string())
      .default({})
      .describe('The properties that inject_image_metadata sets, as a mapping of names to values.'),
    ignoreUserRoles: words()
      .default(['admin'])
      .describe('Callers with one of these roles import without inject_image_metadata.'),
  })
  .prefault({});

export const glanceDownload = z
  .strictObject({
    extraProperties: words()
      .default(['hw_', 'trait:', 'os_distro', 'os_secure_boot', 'os_type'])
      .describe(
        "Beginnings of the names of properties that glance-download copies (Glance's glance_download_properties.extra_properties).",
      ),
  })
  .prefault({});
