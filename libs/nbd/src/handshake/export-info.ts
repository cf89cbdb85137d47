import { NbdError, violation } from '../nbd-error.js';
import { infos, optionReplies, readUint64, transmissionFlags } from '../protocol.js';
import type { OptionReply } from './option-channel.js';

/** How long requests of an export may be, in bytes; offsets and lengths are multiples of `minimum`. */
export interface BlockSizes {
  readonly minimum: number;
  readonly preferred: number;
  readonly maximum: number;
}

/** What a server said of an export. */
export interface ExportInfo {
  readonly size: number;
  readonly isReadOnly: boolean;
  /** Whether several connections see the same data. */
  readonly canMultiConn: boolean;
  readonly blockSizes: BlockSizes;
}

/** What a client may count on where the server says nothing. */
const DEFAULT_BLOCK_SIZES: BlockSizes = { minimum: 512, preferred: 4_096, maximum: 33_554_432 };
const MAX_MINIMUM = 65_536;
const INFO_EXPORT_BYTES = 12;
const INFO_BLOCK_SIZE_BYTES = 14;

const isPowerOfTwo = (value: number) => value > 0 && Number.isInteger(Math.log2(value));

/** Reads size and flags of an export, 10 bytes. */
export function readExport(data: Buffer, blockSizes: BlockSizes = DEFAULT_BLOCK_SIZES): ExportInfo {
  const size = readUint64(data, 0);
  if (size > Number.MAX_SAFE_INTEGER)
    throw new NbdError('NBD_UNSUPPORTED', 'The export of the NBD server is larger than 8 PiB');
  const flags = data.readUInt16BE(8);
  if ((flags & transmissionFlags.hasFlags) === 0) throw violation('an export without flags');
  return {
    size,
    isReadOnly: (flags & transmissionFlags.readOnly) !== 0,
    canMultiConn: (flags & transmissionFlags.canMultiConn) !== 0,
    blockSizes,
  };
}

/** Puts together what the answers to `NBD_OPT_GO` tell. */
export function readInfos(replies: readonly OptionReply[]): ExportInfo {
  let exported: Buffer | undefined;
  let blockSizes: BlockSizes | undefined;
  for (const { type, data } of replies) {
    if (type !== optionReplies.info || data.length < 2)
      throw violation('an answer to NBD_OPT_GO that is none');
    const info = data.readUInt16BE(0);
    if (info === infos.export) {
      if (data.length !== INFO_EXPORT_BYTES) throw violation('the size of an export in another length');
      exported = data.subarray(2);
    }
    if (info === infos.blockSize) blockSizes = readBlockSizes(data);
  }
  if (exported === undefined) throw violation('it opened an export without telling its size');
  return readExport(exported, blockSizes);
}

function readBlockSizes(data: Buffer): BlockSizes {
  if (data.length !== INFO_BLOCK_SIZE_BYTES) throw violation('block sizes in another length');
  const [minimum, preferred, maximum] = [data.readUInt32BE(2), data.readUInt32BE(6), data.readUInt32BE(10)];
  const isSane =
    isPowerOfTwo(minimum) &&
    minimum <= MAX_MINIMUM &&
    isPowerOfTwo(preferred) &&
    preferred >= minimum &&
    // 2^32 - 1 stands for no limit.
    (maximum % minimum === 0 || maximum === 2 ** 32 - 1) &&
    maximum >= preferred;
  if (!isSane) throw violation(`block sizes of ${minimum}, ${preferred} and ${maximum} bytes`);
  return { minimum, preferred, maximum: maximum - (maximum % minimum) };
}
