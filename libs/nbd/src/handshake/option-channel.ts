import type { Transport } from '../connection/transport.js';
import { NbdError, violation } from '../nbd-error.js';
import { MAX_STRING_BYTES, encodeUint32, isErrorReply, magic, optionReplies } from '../protocol.js';
import type { HandshakeBuffer } from './handshake-buffer.js';

/** One answer to an option. */
export interface OptionReply {
  readonly type: number;
  readonly data: Buffer;
}

/** What a server said to an option, in all. */
export interface OptionAnswer {
  /** The answers that tell something, in order. */
  readonly told: readonly OptionReply[];
  /** `null` when the server agreed. */
  readonly refusal: { readonly type: number; readonly message: string } | null;
}

const HEADER_BYTES = 20;
/** Longer than any answer that is known: a name and a description of an export. */
const MAX_REPLY_BYTES = 2 * MAX_STRING_BYTES + 64;
const MAX_REPLIES = 10_000;

const magicBytes = (() => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(magic.newstyle);
  return bytes;
})();

/** Names what a server said no with, for messages. */
const REFUSALS: ReadonlyMap<number, string> = new Map([
  [optionReplies.unsupported, 'it does not know that option'],
  [optionReplies.policy, 'its policy forbids it'],
  [optionReplies.invalid, 'it takes the option for invalid'],
  [optionReplies.platform, 'its platform cannot do it'],
  [optionReplies.tlsRequired, 'it wants TLS first'],
  [optionReplies.unknownExport, 'it has no such export'],
  [optionReplies.shutdown, 'it is shutting down'],
  [optionReplies.blockSizeRequired, 'it wants its block sizes to be kept'],
  [optionReplies.tooBig, 'it takes the option for too long'],
]);

/** What a refusal says, the server's own words included. */
export function describeRefusal({ type, message }: NonNullable<OptionAnswer['refusal']>): string {
  const known = REFUSALS.get(type) ?? `error ${type - 2 ** 31}`;
  return message === '' ? known : `${known} ("${message}")`;
}

/** Haggles over options: asks, and collects what the server answers. */
export class OptionChannel {
  constructor(
    private readonly transport: Transport,
    private readonly buffer: HandshakeBuffer,
  ) {}

  /** Sends an option without waiting for an answer. */
  send(option: number, data: Buffer): void {
    this.transport.write(Buffer.concat([magicBytes, encodeUint32(option), encodeUint32(data.length), data]));
  }

  /** Sends an option and collects the answers up to the one that ends them. */
  async ask(option: number, data: Buffer = Buffer.alloc(0)): Promise<OptionAnswer> {
    this.send(option, data);
    const told: OptionReply[] = [];
    for (;;) {
      const reply = await this.reply(option);
      if (reply.type === optionReplies.ack) return { told, refusal: null };
      if (reply.type === optionReplies.shutdown)
        throw new NbdError('NBD_CONNECTION_LOST', 'The NBD server is shutting down');
      if (isErrorReply(reply.type))
        return { told, refusal: { type: reply.type, message: readableText(reply.data) } };
      told.push(reply);
      if (told.length > MAX_REPLIES) throw violation('its answers to an option do not end');
    }
  }

  private async reply(option: number): Promise<OptionReply> {
    const header = await this.buffer.take(HEADER_BYTES);
    if (header.readBigUInt64BE(0) !== magic.optionReply)
      throw violation('an answer to an option lacks its mark');
    if (header.readUInt32BE(8) !== option) throw violation('an answer to an option that was not asked');
    const length = header.readUInt32BE(16);
    if (length > MAX_REPLY_BYTES) throw violation(`an answer to an option of ${length} bytes`);
    return { type: header.readUInt32BE(12), data: await this.buffer.take(length) };
  }
}

const MAX_TEXT = 500;

/** Text of a server as it can be shown: short, without control characters. */
export function readableText(bytes: Buffer): string {
  const text = bytes
    .toString('utf8')
    .replace(/\p{C}+/gu, ' ')
    .trim();
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
