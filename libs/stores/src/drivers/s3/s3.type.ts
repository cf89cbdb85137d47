import { readFileSync } from 'node:fs';
import { type DriverType, orOptionError } from '../../driver-type.js';
import { S3Connection } from './s3-connection.js';
import { S3Driver } from './s3.driver.js';
import { keyOfLocation } from './s3-location.js';
import { S3Options } from './s3.options.js';

/** `type: s3`: one object per image in a bucket of a server that speaks S3. */
export const s3Type: DriverType<S3Options> = {
  name: 's3',
  options: S3Options,
  properties: ({ largeObjectMib, chunkMib, threads }) => ({
    s3_store_large_object_size: largeObjectMib,
    s3_store_large_object_chunk_size: chunkMib,
    s3_store_thread_pools: threads,
  }),
  recognizes: (options, uri) => keyOfLocation(options, uri) !== undefined,
  places: ({ endpoint, bucket }) => [`${endpoint.host}/${bucket}`],
  open: (options, logger) => {
    const { caFile } = options;
    const ca = caFile === undefined ? undefined : orOptionError('cacert', () => readFileSync(caFile, 'utf8'));
    return new S3Driver(options, new S3Connection(options, ca), logger);
  },
};
