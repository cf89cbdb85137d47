/**
 * Round trips a second through RabbitMQ, with a document of 1 KB each way: bare, and as calls of libs/bus. By hand:
 * `sh scripts/run --build scripts/bench/bus-roundtrip.ts amqp://… [in flight …]`
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { connect } from 'amqplib';
import { busOptions, echoCall, openBus, sample } from './bus-echo-contract.js';
import { median, round } from './report.js';

export interface RoundTripOptions {
  /** 16 unless given. */
  readonly inFlight?: number;
  /** 2 unless given, after half a second of warming up. */
  readonly seconds?: number;
}

/** How often `work` ends in a second, `inFlight` at a time. */
async function rateOf(
  work: () => Promise<unknown>,
  { inFlight = 16, seconds = 2 }: RoundTripOptions,
): Promise<number> {
  const countFor = async (ms: number): Promise<number> => {
    const end = performance.now() + ms;
    let count = 0;
    const lane = async () => {
      while (performance.now() < end) {
        await work();
        count += 1;
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    return count;
  };
  await countFor(500);
  return (await countFor(seconds * 1_000)) / seconds;
}

/** Starts the answering end in a process of its own; resolves with what stops it. */
async function startEcho(kind: 'raw' | 'rpc', url: string, name: string): Promise<() => Promise<void>> {
  const child = fork(join(import.meta.dirname, 'bus-echo.ts'), [kind, url, name]);
  const [message] = (await Promise.race([once(child, 'message'), once(child, 'exit')])) as unknown[];
  if (message !== 'ready') throw new Error(`The answering end of the ${kind} round trips did not start`);
  return async () => {
    child.send('stop');
    await once(child, 'exit');
  };
}

const newName = () => `bench-${process.pid}-${Date.now()}`;

/** Bare round trips a second: a message there through a queue, one back by direct reply-to, no acknowledgements. */
export async function measureRawRoundTrips(url: string, options: RoundTripOptions = {}): Promise<number> {
  const queue = newName();
  const stop = await startEcho('raw', url, queue);
  const connection = await connect(url, { noDelay: true });
  try {
    const channel = await connection.createChannel();
    const replyTo = 'amq.rabbitmq.reply-to';
    const waiting = new Map<string, (answer: unknown) => void>();
    const take = (id: string, content: Buffer) => {
      waiting.get(id)?.(JSON.parse(content.toString()));
      waiting.delete(id);
    };
    await channel.consume(
      replyTo,
      (message) => take(String(message!.properties.correlationId), message!.content),
      { noAck: true },
    );
    let lastId = 0;
    const roundTrip = () =>
      new Promise((resolve) => {
        const correlationId = String((lastId += 1));
        waiting.set(correlationId, resolve);
        channel.sendToQueue(queue, Buffer.from(JSON.stringify(sample)), { correlationId, replyTo });
      });
    return await rateOf(roundTrip, options);
  } finally {
    await connection.close();
    await stop();
  }
}

/** Calls a second of libs/bus as compiled in dist, with all that they bring: checks, expiry, context, metrics. */
export async function measureRpcCalls(url: string, options: RoundTripOptions = {}): Promise<number> {
  const service = newName();
  const stop = await startEcho('rpc', url, service);
  const bus = openBus(busOptions(url, service));
  try {
    const definition = echoCall(service);
    return await rateOf(() => bus.rpc.call(definition, sample), options);
  } finally {
    await bus.close();
    await stop();
  }
}

async function printRates(url: string, inFlights: readonly number[]): Promise<void> {
  for (const inFlight of inFlights) {
    const rates = { raw: [] as number[], calls: [] as number[] };
    for (let n = 0; n < 3; n += 1) {
      rates.raw.push(await measureRawRoundTrips(url, { inFlight }));
      rates.calls.push(await measureRpcCalls(url, { inFlight }));
    }
    const [raw, calls] = [median(rates.raw), median(rates.calls)];
    console.log(`${inFlight} in flight: bare ${round(raw)}/s, calls ${round(calls)}/s`);
  }
}

if (import.meta.main) {
  const [url, ...inFlights] = process.argv.slice(2);
  if (url === undefined) throw new Error('Which broker? Give its amqp:// URL.');
  await printRates(url, inFlights.length === 0 ? [1, 16, 64] : inFlights.map(Number));
}
