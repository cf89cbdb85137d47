export { NbdClient, type NbdClientOptions, type NbdStats } from './nbd-client.js';
export type { NbdTimeouts } from './connection/nbd-connection.js';
export type { NbdTlsOptions } from './connection/transport.js';
export type { BlockSizes } from './handshake/export-info.js';
export type { DiskRange } from './disk-range.js';
export type { DiskPiece, ReadStreamOptions } from './read-stream.js';
export type { Extent } from './replies/status-reply.js';
export {
  ALLOCATION_DEPTH,
  BASE_ALLOCATION,
  IS_DIRTY,
  READS_AS_ZEROES,
  dirtyBitmapContext,
} from './metadata-contexts.js';
export { type NbdAddress, type NbdEndpoint, describeEndpoint, parseNbdUri } from './nbd-uri.js';
export { NbdError, type NbdErrorCode, nbdErrorCodes } from './nbd-error.js';
