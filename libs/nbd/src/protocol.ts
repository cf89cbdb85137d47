/** Numbers of the NBD protocol (doc/proto.md of NetworkBlockDevice/nbd), as far as a client that only reads needs them. */

export const magic = {
  server: 0x4e42444d41474943n, // "NBDMAGIC"
  newstyle: 0x49484156454f5054n, // "IHAVEOPT"
  oldstyle: 0x00420281861253n,
  optionReply: 0x3e889045565a9n,
  request: 0x25609513,
  simpleReply: 0x67446698,
  structuredReply: 0x668e33ef,
} as const;

/** In the server's greeting; the client answers with the same bits. */
export const handshakeFlags = { fixedNewstyle: 1, noZeroes: 2 } as const;

export const options = {
  exportName: 1,
  abort: 2,
  list: 3,
  startTls: 5,
  go: 7,
  structuredReply: 8,
  listMetaContext: 9,
  setMetaContext: 10,
} as const;

const ERROR_REPLY = 2 ** 31;

export const optionReplies = {
  ack: 1,
  server: 2,
  info: 3,
  metaContext: 4,
  unsupported: ERROR_REPLY + 1,
  policy: ERROR_REPLY + 2,
  invalid: ERROR_REPLY + 3,
  platform: ERROR_REPLY + 4,
  tlsRequired: ERROR_REPLY + 5,
  unknownExport: ERROR_REPLY + 6,
  shutdown: ERROR_REPLY + 7,
  blockSizeRequired: ERROR_REPLY + 8,
  tooBig: ERROR_REPLY + 9,
} as const;

export const isErrorReply = (type: number): boolean => type >= ERROR_REPLY;

export const infos = { export: 0, blockSize: 3 } as const;

export const transmissionFlags = { hasFlags: 1, readOnly: 2, canMultiConn: 256 } as const;

/** There is no command here that writes, so that none can be sent. */
export const commands = { read: 0, disconnect: 2, blockStatus: 7 } as const;

export const chunkTypes = { none: 0, offsetData: 1, offsetHole: 2, blockStatus: 5 } as const;
export const CHUNK_IS_LAST = 1;
export const CHUNK_IS_ERROR = 32_768;

/** The longest string that the protocol allows: names, error messages. */
export const MAX_STRING_BYTES = 4_096;

const TWO_TO_32 = 2 ** 32;

/** Writes a whole number below 2^53 as 64 bits. */
export function writeUint64(buffer: Buffer, value: number, at: number): void {
  buffer.writeUInt32BE(Math.floor(value / TWO_TO_32), at);
  buffer.writeUInt32BE(value % TWO_TO_32, at + 4);
}

/** Reads 64 bits; what is 2^53 or more comes out inexact, and above `Number.MAX_SAFE_INTEGER`. */
export function readUint64(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at) * TWO_TO_32 + buffer.readUInt32BE(at + 4);
}

const REQUEST_BYTES = 28;

/** A request of the transmission phase. */
export function encodeRequest(command: number, cookie: number, offset: number, length: number): Buffer {
  const request = Buffer.alloc(REQUEST_BYTES);
  request.writeUInt32BE(magic.request, 0);
  request.writeUInt16BE(command, 6);
  writeUint64(request, cookie, 8);
  writeUint64(request, offset, 16);
  request.writeUInt32BE(length, 24);
  return request;
}

/** A string as the protocol has it inside of options: its length, its bytes. */
export function encodeString(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([encodeUint32(bytes.length), bytes]);
}

export function encodeUint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}
