import { readableText } from '../handshake/option-channel.js';
import { type NbdError, violation } from '../nbd-error.js';
import {
  CHUNK_IS_ERROR,
  CHUNK_IS_LAST,
  MAX_STRING_BYTES,
  chunkTypes,
  magic,
  readUint64,
} from '../protocol.js';
import type { ReadReply } from './read-reply.js';
import { serverError } from './server-error.js';
import type { StatusReply } from './status-reply.js';

export type Reply = ReadReply | StatusReply;

/** Who asked, and is told. */
export interface ReplyReceiver {
  /** The reply that is awaited under this number. */
  find(cookie: number): Reply | undefined;
  /** Nothing more comes for this number: all is there, or the server's error. */
  settle(cookie: number, error: NbdError | null): void;
}

const MARK_BYTES = 4;
const SIMPLE_BYTES = 12;
const CHUNK_BYTES = 16;
const OFFSET_BYTES = 8;
const HOLE_BYTES = 12;
const CONTEXT_BYTES = 4;
const EXTENT_BYTES = 8;
const ERROR_BYTES = 6;
/** Its number, the text, and where it happened. */
const MAX_ERROR_BYTES = ERROR_BYTES + MAX_STRING_BYTES + OFFSET_BYTES;
/** As much as nbdkit sends, which sends more than others. */
const MAX_STATUS_BYTES = CONTEXT_BYTES + EXTENT_BYTES * 1_048_576;

/**
 * Takes the server's replies apart as their bytes come. Data goes to where the request wants it; all else that is kept is
 * smaller than 5 KiB. Whatever is not the protocol throws `NBD_PROTOCOL_VIOLATION`, after which nothing more may be pushed.
 */
export class ReplyParser {
  private readonly gathered = Buffer.alloc(MAX_ERROR_BYTES);
  private gatheredBytes = 0;
  private wanted = MARK_BYTES;
  private next: (bytes: Buffer) => void = (bytes) => this.mark(bytes);

  private target: Buffer | null = null;
  private targetBytes = 0;

  private cookie = 0;
  private isLast = true;
  private extentsLeft = 0;
  /** The first error of each reply that is not complete. */
  private readonly errors = new Map<number, NbdError>();

  constructor(
    private readonly receiver: ReplyReceiver,
    private readonly isStructured: boolean,
  ) {}

  /** Takes bytes in any portions; keeps none of `chunk`. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length)
      at += this.target === null ? this.gather(chunk, at) : this.fill(this.target, chunk, at);
  }

  private gather(chunk: Buffer, at: number): number {
    const bytes = chunk.copy(
      this.gathered,
      this.gatheredBytes,
      at,
      Math.min(chunk.length, at + this.wanted - this.gatheredBytes),
    );
    this.gatheredBytes += bytes;
    if (this.gatheredBytes === this.wanted) {
      this.gatheredBytes = 0;
      this.next(this.gathered.subarray(0, this.wanted));
    }
    return bytes;
  }

  private fill(target: Buffer, chunk: Buffer, at: number): number {
    const bytes = chunk.copy(target, this.targetBytes, at);
    this.targetBytes += bytes;
    if (this.targetBytes === target.length) {
      this.target = null;
      this.endOfChunk();
    }
    return bytes;
  }

  private expect(bytes: number, next: (bytes: Buffer) => void): void {
    this.wanted = bytes;
    this.next = next;
  }

  private expectData(target: Buffer): void {
    this.target = target;
    this.targetBytes = 0;
  }

  private mark(bytes: Buffer): void {
    const mark = bytes.readUInt32BE(0);
    if (mark === magic.simpleReply) this.expect(SIMPLE_BYTES, (header) => this.simple(header));
    else if (mark === magic.structuredReply && this.isStructured)
      this.expect(CHUNK_BYTES, (header) => this.chunk(header));
    else throw violation('a reply without its mark');
  }

  private simple(header: Buffer): void {
    const errno = header.readUInt32BE(0);
    const reply = this.begin(readUint64(header, 4), true);
    if (errno !== 0) {
      this.keepError(serverError(errno, ''));
      this.endOfChunk();
    } else if (reply.kind === 'read' && !this.isStructured) this.expectData(reply.whole());
    else throw violation('a simple reply where a structured one was agreed on');
  }

  private chunk(header: Buffer): void {
    const flags = header.readUInt16BE(0);
    const type = header.readUInt16BE(2);
    const length = header.readUInt32BE(12);
    const reply = this.begin(readUint64(header, 4), (flags & CHUNK_IS_LAST) !== 0);
    if ((type & CHUNK_IS_ERROR) !== 0) this.errorChunk(length);
    else if (type === chunkTypes.none) this.emptyChunk(length);
    else if (reply.kind === 'read') this.readChunk(reply, type, length);
    else this.statusChunk(reply, type, length);
  }

  private begin(cookie: number, isLast: boolean): Reply {
    const reply = this.receiver.find(cookie);
    if (reply === undefined) throw violation('a reply to what was not asked');
    this.cookie = cookie;
    this.isLast = isLast;
    return reply;
  }

  private emptyChunk(length: number): void {
    if (length !== 0 || !this.isLast) throw violation('an empty part of a reply that is not its end');
    this.endOfChunk();
  }

  private errorChunk(length: number): void {
    if (length < ERROR_BYTES || length > MAX_ERROR_BYTES) throw violation(`an error of ${length} bytes`);
    this.expect(length, (payload) => {
      const errno = payload.readUInt32BE(0);
      const textEnd = ERROR_BYTES + payload.readUInt16BE(4);
      if (errno === 0 || textEnd > length) throw violation('an error that is none');
      this.keepError(serverError(errno, readableText(payload.subarray(ERROR_BYTES, textEnd))));
      this.endOfChunk();
    });
  }

  private readChunk(reply: ReadReply, type: number, length: number): void {
    if (type === chunkTypes.offsetData && length > OFFSET_BYTES)
      this.expect(OFFSET_BYTES, (head) =>
        this.expectData(reply.data(readUint64(head, 0), length - OFFSET_BYTES)),
      );
    else if (type === chunkTypes.offsetHole && length === HOLE_BYTES)
      this.expect(HOLE_BYTES, (head) => {
        reply.hole(readUint64(head, 0), head.readUInt32BE(OFFSET_BYTES));
        this.endOfChunk();
      });
    else throw violation(`a part of type ${type} and ${length} bytes in the reply to a read`);
  }

  private statusChunk(reply: StatusReply, type: number, length: number): void {
    const extentBytes = length - CONTEXT_BYTES;
    const isSane = extentBytes > 0 && extentBytes % EXTENT_BYTES === 0 && length <= MAX_STATUS_BYTES;
    if (type !== chunkTypes.blockStatus || !isSane)
      throw violation(`a part of type ${type} and ${length} bytes in a reply on the status of blocks`);
    this.extentsLeft = extentBytes / EXTENT_BYTES;
    const extent = (bytes: Buffer) => {
      reply.extent(bytes.readUInt32BE(0), bytes.readUInt32BE(4));
      if (--this.extentsLeft === 0) this.endOfChunk();
    };
    this.expect(CONTEXT_BYTES, (head) => {
      reply.begin(head.readUInt32BE(0));
      this.expect(EXTENT_BYTES, extent);
    });
  }

  private keepError(error: NbdError): void {
    if (!this.errors.has(this.cookie)) this.errors.set(this.cookie, error);
  }

  private endOfChunk(): void {
    this.expect(MARK_BYTES, (bytes) => this.mark(bytes));
    if (!this.isLast) return;
    const error = this.errors.get(this.cookie) ?? null;
    this.errors.delete(this.cookie);
    if (error === null) this.receiver.find(this.cookie)?.finish();
    this.receiver.settle(this.cookie, error);
  }
}
