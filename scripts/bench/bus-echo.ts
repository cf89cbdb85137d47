/** The answering end of bus-roundtrip.ts, in a process of its own as in production: `bus-echo.ts raw|rpc <url> <name>`. */
import { once } from 'node:events';
import { connect } from 'amqplib';
import { busOptions, createBusStrategy, echoCall } from './bus-echo-contract.js';

const [kind, url, name] = process.argv.slice(2) as ['raw' | 'rpc', string, string];

/** Answers every message with its own content, without acknowledgements. */
async function answerRaw(): Promise<() => Promise<void>> {
  const connection = await connect(url, { noDelay: true });
  const channel = await connection.createChannel();
  await channel.assertQueue(name, { exclusive: true, durable: false });
  await channel.consume(
    name,
    (message) => {
      const { correlationId, replyTo } = message!.properties;
      const document: unknown = JSON.parse(message!.content.toString());
      channel.sendToQueue(String(replyTo), Buffer.from(JSON.stringify(document)), { correlationId });
    },
    { noAck: true },
  );
  return () => connection.close();
}

async function answerCalls(): Promise<() => Promise<void>> {
  const strategy = createBusStrategy(busOptions(url, name));
  const definition = echoCall(name);
  strategy.addHandler(definition.pattern, (document) => Promise.resolve(document), false, { definition });
  await strategy.listen((error) => {
    if (error !== undefined) throw error;
  });
  return async () => {
    await strategy.close();
    const connection = await connect(url);
    const channel = await connection.createChannel();
    await channel.deleteQueue(`glimpse.${name}`);
    await connection.close();
  };
}

const stop = await (kind === 'raw' ? answerRaw() : answerCalls());
process.send?.('ready');
await once(process, 'message');
await stop();
process.disconnect();
