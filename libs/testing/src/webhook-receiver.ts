import { once } from 'node:events';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

/** A message as it arrived. */
export interface ReceivedMessage {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Answers a message. */
export type AnswerMessage = (message: ReceivedMessage, response: ServerResponse) => void;

/** A server on loopback that keeps the messages of webhooks that it is sent. */
export class WebhookReceiver {
  readonly received: ReceivedMessage[] = [];
  /** With 204, unless a test says otherwise. */
  answer: AnswerMessage = (_message, response) => response.writeHead(204).end();

  private constructor(private readonly server: Server) {}

  static async start(): Promise<WebhookReceiver> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new WebhookReceiver(server);
    server.on('request', (request, response) => void receiver.take(request, response));
    return receiver;
  }

  urlOf(path = '/'): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${path}`;
  }

  /** What was sent to that path, verified with the secret by the library of Standard Webhooks; throws for any that is not. */
  verified(
    path: string,
    secret: string,
  ): { type: string; timestamp: string; data: Record<string, unknown> }[] {
    const verifier = new Webhook(secret);
    return this.received
      .filter((message) => message.path === path)
      .map(({ body, headers }) => verifier.verify(body, headers) as never);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const message = {
      path: request.url ?? '',
      method: request.method ?? '',
      headers: request.headers as Record<string, string>,
      body: await text(request),
    };
    this.received.push(message);
    this.answer(message, response);
  }
}
