import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { SeededRandom } from '@glimpse/testing';
import { NbdClient, type NbdClientOptions } from './nbd-client.js';
import { NbdError, type NbdErrorCode } from './nbd-error.js';
import { encodeUint32, magic, optionReplies, options } from './protocol.js';

const folder = mkdtempSync(join(tmpdir(), 'glimpse-nbd-hostile-'));
afterAll(() => rmSync(folder, { recursive: true }));

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => once(server.close(), 'close')));
});

type Behaviour = (socket: Socket) => void;

let made = 0;

/** Listens; what each connection gets is up to `behave`. The URI of it. */
async function serve(behave: Behaviour): Promise<string> {
  const path = join(folder, `${++made}`);
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    behave(socket);
  });
  servers.push(server);
  await once(server.listen(path), 'listening');
  return `nbd+unix:///disk?socket=${path}`;
}

const uint64 = (value: number | bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
};
const uint16 = (value: number) => encodeUint32(value).subarray(2);
const greeting = (flags = 3) => Buffer.concat([uint64(magic.server), uint64(magic.newstyle), uint16(flags)]);
const answer = (option: number, type: number, data: Buffer = Buffer.alloc(0)) =>
  Buffer.concat([
    uint64(magic.optionReply),
    encodeUint32(option),
    encodeUint32(type),
    encodeUint32(data.length),
    data,
  ]);

const SIZE = 262_144;
const exported = (size: number | bigint) => Buffer.concat([uint16(0), uint64(size), uint16(0x103)]);
const sizes = (...values: number[]) => Buffer.concat([uint16(3), ...values.map(encodeUint32)]);

/** What a good server says to an option. */
function agree(option: number, size: number | bigint = SIZE): Buffer {
  if (option === options.setMetaContext) {
    const context = Buffer.concat([encodeUint32(1), Buffer.from('base:allocation')]);
    return Buffer.concat([
      answer(option, optionReplies.metaContext, context),
      answer(option, optionReplies.ack),
    ]);
  }
  if (option === options.go)
    return Buffer.concat([
      answer(option, optionReplies.info, exported(size)),
      answer(option, optionReplies.info, sizes(512, 4_096, 65_536)),
      answer(option, optionReplies.ack),
    ]);
  return answer(option, optionReplies.ack);
}

/** What a good server says to a request: zeroes and sevens in turns. */
function fulfil(request: Buffer): Buffer {
  const chunk = (type: number, payload: Buffer) =>
    Buffer.concat([
      encodeUint32(magic.structuredReply),
      uint16(1),
      uint16(type),
      request.subarray(8, 16),
      encodeUint32(payload.length),
      payload,
    ]);
  if (request.readUInt16BE(6) !== 7)
    return chunk(1, Buffer.concat([request.subarray(16, 24), Buffer.alloc(request.readUInt32BE(24), 7)]));
  const extents = [0, 1, 2, 3].flatMap((n) => [encodeUint32(SIZE / 4), encodeUint32(n % 2 === 0 ? 0 : 3)]);
  return chunk(5, Buffer.concat([encodeUint32(1), ...extents]));
}

/** A server that keeps to the protocol, but for what `bend` makes of its words. */
function bentServer(bend: (words: Buffer, what: number) => Buffer): Behaviour {
  return (socket: Socket) => {
    let held = Buffer.alloc(0);
    let step: 'flags' | 'options' | 'requests' = 'flags';
    const say = (words: Buffer, what: number) => socket.write(bend(words, what));
    const take = (bytes: number) => {
      const taken = held.subarray(0, bytes);
      held = held.subarray(bytes);
      return taken;
    };
    const advance = (): boolean => {
      if (step === 'flags' && held.length >= 4) {
        take(4);
        step = 'options';
        return true;
      }
      if (step === 'options' && held.length >= 16 && held.length >= 16 + held.readUInt32BE(12)) {
        const option = take(16 + held.readUInt32BE(12)).readUInt32BE(8);
        say(agree(option), option);
        if (option === options.go) step = 'requests';
        return true;
      }
      if (step === 'requests' && held.length >= 28) {
        const request = take(28);
        if (request.readUInt16BE(6) === 2) socket.end();
        else say(fulfil(request), 100 + request.readUInt16BE(6));
        return true;
      }
      return false;
    };
    say(greeting(), 0);
    socket.on('data', (data) => {
      held = Buffer.concat([held, data]);
      while (advance());
    });
  };
}

const quick: NbdClientOptions = { timeouts: { connectMs: 400, idleMs: 400, requestMs: 800 } };

async function readAll(uri: string, more: NbdClientOptions = quick): Promise<number> {
  const client = await NbdClient.connect(uri, more);
  let bytes = 0;
  try {
    // What a liar calls the size of its disk is not read to the end.
    for await (const { length } of client.readStream({
      ranges: [{ offset: 0, length: Math.min(client.size, SIZE) }],
    }))
      bytes += length;
  } finally {
    await client.close();
  }
  return bytes;
}

describe('a server that does not mean well', () => {
  it('is read as long as it keeps to the protocol', async () => {
    expect(await readAll(await serve(bentServer((words) => words)))).toBe(SIZE);
  });

  const instead = (of: number, words: Buffer): Behaviour =>
    bentServer((good, what) => (what === of ? words : good));
  const hostile: readonly (readonly [string, Behaviour, NbdErrorCode])[] = [
    [
      'is no NBD server',
      instead(0, Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')),
      'NBD_PROTOCOL_VIOLATION',
    ],
    [
      'speaks oldstyle',
      instead(0, Buffer.concat([uint64(magic.server), uint64(magic.oldstyle), Buffer.alloc(136)])),
      'NBD_UNSUPPORTED',
    ],
    ['says nothing', () => undefined, 'NBD_TIMEOUT'],
    ['hangs up', (socket) => void socket.end(), 'NBD_CONNECTION_LOST'],
    [
      'does not stop to talk',
      (socket) => void socket.write(Buffer.concat([greeting(), Buffer.alloc(8_388_608)])),
      'NBD_PROTOCOL_VIOLATION',
    ],
    ['answers other options', instead(options.structuredReply, answer(99, 1)), 'NBD_PROTOCOL_VIOLATION'],
    [
      'announces much',
      instead(options.structuredReply, answer(8, 1, Buffer.alloc(9_000))),
      'NBD_PROTOCOL_VIOLATION',
    ],
    [
      'is shutting down',
      instead(options.structuredReply, answer(8, optionReplies.shutdown)),
      'NBD_CONNECTION_LOST',
    ],
    [
      'has a policy',
      instead(options.go, answer(7, optionReplies.policy, Buffer.from('not you'))),
      'NBD_REFUSED',
    ],
    ['opens without a size', instead(options.go, answer(7, optionReplies.ack)), 'NBD_PROTOCOL_VIOLATION'],
    ['has a disk that is too large', instead(options.go, agree(options.go, 2n ** 63n)), 'NBD_UNSUPPORTED'],
    [
      'has blocks of three bytes',
      instead(options.go, Buffer.concat([answer(7, optionReplies.info, sizes(3, 3, 3)), answer(7, 1)])),
      'NBD_PROTOCOL_VIOLATION',
    ],
    [
      'tells contexts nobody wants',
      instead(
        options.setMetaContext,
        Buffer.concat([
          answer(10, optionReplies.metaContext, Buffer.concat([encodeUint32(1), Buffer.from('x:y')])),
          answer(10, 1),
        ]),
      ),
      'NBD_PROTOCOL_VIOLATION',
    ],
    ['does not answer', instead(100, Buffer.alloc(0)), 'NBD_TIMEOUT'],
    ['sends what was not asked', instead(107, Buffer.alloc(65_536)), 'NBD_PROTOCOL_VIOLATION'],
  ];
  it.each(hostile)('fails the client when it %s', async (_, behave, code) => {
    await expect(readAll(await serve(behave))).rejects.toMatchObject({ name: 'NbdError', code });
  });

  it('cannot keep a request open by dripping bytes', async () => {
    const uri = await serve((socket) => {
      let drip: NodeJS.Timeout | undefined;
      const bend = (words: Buffer, what: number) => {
        if (what !== 100) return words;
        drip ??= setInterval(() => socket.write(Buffer.alloc(1, 7)), 20);
        return words.subarray(0, 40);
      };
      bentServer(bend)(socket);
      socket.on('close', () => clearInterval(drip));
    });

    await expect(
      readAll(uri, { timeouts: { connectMs: 2_000, idleMs: 60_000, requestMs: 300 } }),
    ).rejects.toMatchObject({ code: 'NBD_TIMEOUT' });
  });

  it('may have words changed at random: they are read, or refused', async () => {
    const random = new SeededRandom(20_261_122);
    const codes = new Map<string, number>();
    for (let n = 0; n < 300; n++) {
      const victim = random.oneOf([0, 7, 8, 10, 100, 107]);
      const uri = await serve(
        bentServer((words, what) => {
          if (what !== victim) return words;
          const bent = Buffer.from(words);
          for (let change = random.below(3); change >= 0; change--)
            bent[random.below(Math.min(bent.length, 120))] = random.below(256);
          return random.below(8) === 0 ? bent.subarray(0, random.below(bent.length)) : bent;
        }),
      );
      const timeouts = { connectMs: 60, idleMs: 60, requestMs: 120 };
      const end = await readAll(uri, { timeouts }).then(
        () => 'read',
        (error: unknown) => (error instanceof NbdError ? error.code : Promise.reject(error as Error)),
      );
      codes.set(end, (codes.get(end) ?? 0) + 1);
    }

    expect(codes.get('NBD_PROTOCOL_VIOLATION')).toBeGreaterThan(50);
  });
});

describe('a connection that is not to be', () => {
  it('fails with the words of who resolves names', async () => {
    const refusal = new Error('not this network');
    const connecting = NbdClient.connect('nbd://disks.test/', {
      lookup: (_host, _options, callback) => callback(refusal, '', 0),
    });

    await expect(connecting).rejects.toBe(refusal);
  });

  it('is given up when its signal says so, before it begins and in the handshake', async () => {
    const reason = new Error('enough');
    await expect(NbdClient.connect('nbd://localhost:1/', { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    );

    const leaving = new AbortController();
    const uri = await serve(() => leaving.abort(reason));
    await expect(NbdClient.connect(uri, { signal: leaving.signal })).rejects.toBe(reason);
  });

  it('is used alone where a server says that it takes more, and does not', async () => {
    let taken = 0;
    const good = bentServer((words) => words);
    const uri = await serve((socket) => (++taken === 1 ? good(socket) : void socket.end()));
    const client = await NbdClient.connect(uri, { ...quick, connections: 3 });

    expect(client.stats.connections).toBe(1);
    expect((await client.read(0, 100_000)).equals(Buffer.alloc(100_000, 7))).toBe(true);
    await client.close();
    await expect(client.read(0, 1)).rejects.toMatchObject({ code: 'NBD_CLOSED' });
  });

  it('fails where two connections show different disks', async () => {
    let taken = 0;
    const other = bentServer((words, what) => (what === options.go ? agree(options.go, 2 * SIZE) : words));
    const good = bentServer((words) => words);
    const uri = await serve((socket) => (++taken === 1 ? good : other)(socket));

    await expect(NbdClient.connect(uri, { ...quick, connections: 2 })).rejects.toMatchObject({
      code: 'NBD_PROTOCOL_VIOLATION',
    });
  });

  it('hands out nothing more when the taker leaves', async () => {
    const client = await NbdClient.connect(await serve(bentServer((words) => words)), quick);
    for await (const { data } of client.readStream()) {
      expect(data?.every((byte) => byte === 7)).toBe(true);
      break;
    }
    expect(await client.blockStatus(0, SIZE, 'base:allocation')).toHaveLength(4);
    await client.close();
  });
});
