import { isAbsolute } from 'node:path';
import { z } from 'zod';

/** A directory for data; of those that have room, one with the highest priority is used. */
export interface DataDirectory {
  readonly path: string;
  readonly priority: number;
}

const absolutePath = z.string().refine(isAbsolute, 'must be an absolute path');

/** `/srv/images` or `/srv/images:200`, as Glance writes it. */
const DataDirectoryText = z.string().transform((text, context): DataDirectory => {
  const colon = text.lastIndexOf(':');
  const path = colon === -1 ? text : text.slice(0, colon);
  const priority = colon === -1 ? '0' : text.slice(colon + 1).trim();
  if (!isAbsolute(path)) context.addIssue(`"${text}" must begin with an absolute path`);
  if (!/^-?\d+$/.test(priority)) context.addIssue(`"${text}": the priority must be a whole number`);
  return { path, priority: Number(priority) };
});

/** Decimal digits that are read as octal: 640 is rw-r-----. 0 leaves the mode to the umask. */
const FileMode = z
  .preprocess(
    (value) => (typeof value === 'number' ? String(value) : value),
    z.string().regex(/^[0-7]{1,4}$/),
  )
  .transform((digits) => Number.parseInt(digits, 8))
  .refine((mode) => mode === 0 || (mode & 0o400) !== 0, 'must let the owner read');

const flag = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(),
);

/** The options of a store of type `file`. */
export const FileOptions = z
  .strictObject({
    /** The directory for the data. */
    datadir: absolutePath.optional(),
    /** Several directories in place of `datadir`, each with an optional priority. */
    datadirs: z.array(DataDirectoryText).min(1).optional(),
    /** JSON file with entries of `id` and `mountpoint`; the one that holds the data goes into the location's metadata. */
    metadata_file: absolutePath.optional(),
    file_perm: FileMode.default(0),
    /** Blocks of zeros are not written but left out of the file: of each, of none; left out: of those that say that they have them. */
    thin_provisioning: flag.optional(),
  })
  .transform((options, context) => {
    if ((options.datadir === undefined) === (options.datadirs === undefined))
      context.addIssue({ code: 'custom', path: ['datadir'], message: 'set either datadir or datadirs' });
    const directories = options.datadirs ?? [{ path: options.datadir ?? '/', priority: 0 }];
    const seen = new Set<string>();
    for (const { path } of directories) {
      if (seen.has(path))
        context.addIssue({ code: 'custom', path: ['datadirs'], message: `${path} is named twice` });
      seen.add(path);
    }
    return {
      directories,
      metadataFile: options.metadata_file,
      fileMode: options.file_perm,
      isThin: options.thin_provisioning,
    };
  });
export type FileOptions = z.output<typeof FileOptions>;
