import { describe, expect, it } from '@jest/globals';
import { SeededRandom } from '@glimpse/testing';
import { NbdError } from '../nbd-error.js';
import { magic, writeUint64 } from '../protocol.js';
import { ReadReply } from './read-reply.js';
import { type Reply, ReplyParser } from './reply-parser.js';
import { StatusReply } from './status-reply.js';

/** Numbers of 2, 4 or 8 bytes, and bytes. */
function bytes(...parts: readonly (readonly [2 | 4 | 8, number] | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (Buffer.isBuffer(part)) return part;
      const [width, value] = part;
      const buffer = Buffer.alloc(8);
      writeUint64(buffer, value, 0);
      return buffer.subarray(8 - width);
    }),
  );
}

const LAST = 1;
const chunk = (cookie: number, flags: number, type: number, payload: Buffer = Buffer.alloc(0)) =>
  bytes([4, magic.structuredReply], [2, flags], [2, type], [8, cookie], [4, payload.length], payload);
const simple = (cookie: number, errno: number, data: Buffer = Buffer.alloc(0)) =>
  bytes([4, magic.simpleReply], [4, errno], [8, cookie], data);
const data = (offset: number, content: Buffer) => bytes([8, offset], content);
const hole = (offset: number, length: number) => bytes([8, offset], [4, length]);
const failure = (errno: number, text: string) => bytes([4, errno], [2, text.length], Buffer.from(text));
const status = (id: number, ...extents: readonly [number, number][]) =>
  bytes(
    [4, id],
    ...extents.flatMap(
      ([length, flags]) =>
        [
          [4, length],
          [4, flags],
        ] as const,
    ),
  );

/** A parser that awaits a read (1) of 4 KiB at 8192 and the status (2) of 64 KiB at 0 in the contexts 7 and 8. */
function awaiting(isStructured = true) {
  const read = new ReadReply(8_192, Buffer.alloc(4_096, 0xee));
  const blocks = new StatusReply(0, 65_536, new Set([7, 8]));
  const open = new Map<number, Reply>([
    [1, read],
    [2, blocks],
  ]);
  const settled = new Map<number, string>();
  const receiver = {
    find: (cookie: number) => open.get(cookie),
    settle: (cookie: number, error: NbdError | null) => {
      open.delete(cookie);
      settled.set(cookie, error?.message ?? 'ok');
    },
  };
  return { parser: new ReplyParser(receiver, isStructured), read, blocks, settled };
}

const GOOD = Buffer.concat([
  chunk(1, 0, 1, data(10_240, Buffer.alloc(2_048, 2))),
  chunk(2, 0, 5, status(7, [4_096, 0], [61_440, 3])),
  chunk(1, 0, 2, hole(9_216, 1_024)),
  chunk(2, LAST, 5, status(8, [70_000, 1])),
  chunk(1, 0, 1, data(8_192, Buffer.alloc(1_024, 1))),
  chunk(1, LAST, 0),
]);

/** What follows from a reply, whichever portions it comes in. */
function outcome(reply: Buffer, nextPortion: () => number): string {
  const { parser, read, blocks, settled } = awaiting();
  let end = 'open';
  try {
    for (let at = 0; at < reply.length;) {
      const portion = reply.subarray(at, at + nextPortion());
      parser.push(portion);
      at += portion.length;
    }
  } catch (error) {
    if (!(error instanceof NbdError)) throw error;
    end = error.message;
  }
  const content = settled.get(1) === 'ok' ? read.target.toString('base64') : '';
  return JSON.stringify([end, [...settled], content, blocks.extentsOf(7), blocks.extentsOf(8)]);
}

describe('the parser of replies', () => {
  it('puts parts together that come in any order and in any portions', () => {
    for (const portion of [1, 3, 28, GOOD.length]) {
      const { parser, read, blocks, settled } = awaiting();

      for (let at = 0; at < GOOD.length; at += portion) parser.push(GOOD.subarray(at, at + portion));

      expect([...settled]).toEqual([
        [2, 'ok'],
        [1, 'ok'],
      ]);
      const [ones, zeroes, twos] = [Buffer.alloc(1_024, 1), Buffer.alloc(1_024), Buffer.alloc(2_048, 2)];
      expect(read.target.equals(Buffer.concat([ones, zeroes, twos]))).toBe(true);
      expect(read.dataBytes).toBe(3_072);
      expect(blocks.extentsOf(7)).toEqual([
        { offset: 0, length: 4_096, flags: 0 },
        { offset: 4_096, length: 61_440, flags: 3 },
      ]);
      expect(blocks.extentsOf(8)).toEqual([{ offset: 0, length: 65_536, flags: 1 }]);
    }
  });

  it('takes simple replies where no others were agreed on', () => {
    const { parser, read, settled } = awaiting(false);

    parser.push(Buffer.concat([simple(1, 0, Buffer.alloc(4_096, 9)), simple(2, 22)]));

    expect(read.target.equals(Buffer.alloc(4_096, 9))).toBe(true);
    expect([...settled.values()]).toEqual(['ok', 'The NBD server refused a request: EINVAL']);
  });

  it('tells the first error of a reply, when all of it has come', () => {
    const { parser, settled } = awaiting();

    parser.push(chunk(1, 0, 32_769, failure(5, 'bad\nsector')));
    expect(settled.size).toBe(0);
    parser.push(chunk(1, LAST, 32_770, Buffer.concat([failure(12, ''), bytes([8, 8_192])])));

    expect(settled.get(1)).toBe('The NBD server refused a request: EIO ("bad sector")');
  });

  it.each([
    ['a reply without its mark', Buffer.alloc(20)],
    ['a reply to what was not asked', chunk(3, LAST, 0)],
    ['a simple reply', simple(1, 0)],
    ['too short', chunk(1, LAST, 0)],
    [
      'gaps or overlaps',
      Buffer.concat([chunk(1, 0, 2, hole(8_192, 8)), chunk(1, LAST, 2, hole(8_193, 4_000))]),
    ],
    ['not asked for', chunk(1, LAST, 1, data(0, Buffer.alloc(8)))],
    ['not asked for', chunk(1, LAST, 2, hole(8_192, 4_097))],
    ['too many pieces', Buffer.concat([0, 1, 2].map(() => chunk(1, 0, 2, hole(8_192, 2_048))))],
    [
      'too many pieces',
      Buffer.concat(Array.from({ length: 40 }, (_, n) => chunk(1, 0, 2, hole(8_192 + n, 1)))),
    ],
    ['a part of type 9', chunk(1, 0, 9)],
    ['a part of type 1', chunk(2, 0, 1, data(0, Buffer.alloc(8)))],
    [
      'a part of type 5 and 4294967292 bytes',
      bytes([4, magic.structuredReply], [2, 1], [2, 5], [8, 2], [4, 4_294_967_292]),
    ],
    ['an error of 70000 bytes', bytes([4, magic.structuredReply], [2, 1], [2, 32_769], [8, 2], [4, 70_000])],
    ['an error that is none', chunk(1, LAST, 32_769, failure(0, ''))],
    ['an empty part', chunk(1, 0, 0)],
    ['a context that was not asked for', chunk(2, 0, 5, status(9, [1, 1]))],
    ['blocks that were not asked for', chunk(2, 0, 5, status(7, [0, 1]))],
    ['blocks that were not asked for', chunk(2, 0, 5, status(7, [65_536, 1], [1, 1]))],
    ['a context without a status', chunk(2, LAST, 5, status(7, [65_536, 1]))],
  ])('refuses what is not the protocol: %s', (why, reply) => {
    const { parser } = awaiting();

    expect(() => parser.push(reply)).toThrow(
      expect.objectContaining({ code: 'NBD_PROTOCOL_VIOLATION', message: expect.stringContaining(why) }),
    );
  });

  it('comes to the same by whole and by parts with 10000 replies that were changed at random', () => {
    const random = new SeededRandom(20_261_122);
    const ends = new Set<string>();
    for (let n = 0; n < 10_000; n++) {
      const reply = Buffer.from(GOOD);
      for (let change = random.below(4); change >= 0; change--)
        // Data may be anything: what stands around it is changed more often.
        reply[
          random.oneOf([random.below(reply.length), random.below(28), GOOD.length - 1 - random.below(1_300)])
        ] = random.below(256);

      const whole = outcome(reply, () => reply.length);

      expect(outcome(reply, () => 1 + random.below(random.oneOf([8, 64, 4_096])))).toBe(whole);
      ends.add(whole.slice(0, 80));
    }
    expect(ends.size).toBeGreaterThan(10);
  });
});
