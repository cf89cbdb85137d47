import { realpathSync } from 'node:fs';
import { type DriverType, orOptionError } from '../../driver-type.js';
import { pathWithin, prepareDirectories } from './data-directories.js';
import { FileDriver } from './file.driver.js';
import { READ_BYTES } from './file-reader.js';
import { FileOptions } from './file.options.js';
import { type MountPoint, readMountPoints } from './mount-points.js';

/** `type: file`: one file per image in a directory, or in several. */
export const fileType: DriverType<FileOptions> = {
  name: 'file',
  options: FileOptions,
  properties: ({ directories, isThin }) => ({
    data_dir: directories.map(({ path }) => path).join(','),
    chunk_size: READ_BYTES,
    thin_provisioning: isThin ?? false,
  }),
  recognizes: ({ directories }, uri) => pathWithin(directories, uri) !== undefined,
  places: ({ directories }) => directories.map(({ path }) => realpathSync(path)),
  open: (options, logger) => {
    orOptionError('datadir', () => prepareDirectories(options));
    const { metadataFile } = options;
    const mountPoints: MountPoint[] =
      metadataFile === undefined ? [] : orOptionError('metadata_file', () => readMountPoints(metadataFile));
    return new FileDriver(options, mountPoints, logger);
  },
};
