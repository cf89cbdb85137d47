import { EventEnvelope } from '@glimpse/contracts';
import { ClientProxy, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import type { BusOptions } from './bus-options.js';
import { BusStatus } from './bus-status.js';
import type { DeadLetters } from './dead-letters.js';
import { EventPublisher } from './event-publisher.js';
import { showConnected } from './connection-gauge.js';
import { createClientLink } from './create-link.js';
import { LiveEvents } from './live-events.js';
import { RpcClient } from './rpc-client.js';
import { CallSender } from './rpc/call-sender.js';
import { rpcQueue } from './topology.js';
import type { ClientLink, ClientListener } from './transport.js';

/** The timeout of calls through NestJS' own `send`, which knows no definition. */
const PROXY_TIMEOUT_MS = 10_000;

/**
 * The sending end of the bus: one connection, made for ever anew. It is a NestJS `ClientProxy` for whoever wants one;
 * our own code uses `rpc` and `publisher`, which are typed and don't build an observable for each call.
 */
export class BusClient extends ClientProxy implements ClientListener {
  readonly connection = new BusStatus();
  readonly rpc: RpcClient;
  readonly publisher: EventPublisher;
  readonly live: LiveEvents;
  readonly deadLetters: DeadLetters;
  private readonly link: ClientLink;
  private readonly sender: CallSender;

  constructor(private readonly bus: BusOptions) {
    super();
    this.link = createClientLink(bus);
    this.sender = new CallSender(this.link, bus);
    this.rpc = new RpcClient(this.sender, bus.logger);
    this.publisher = new EventPublisher(this.link);
    this.live = new LiveEvents(this.link, bus.logger);
    this.deadLetters = this.link.deadLetters;
    showConnected(bus.service, 'client', false);
    this.link.open(this);
  }

  /** Calls wait for the connection themselves. */
  connect(): Promise<void> {
    return Promise.resolve();
  }

  /** Refuses further calls, waits up to `graceMs` for the answers to those that were made, and ends the connection. */
  async close(graceMs = 0): Promise<void> {
    await this.sender.close(graceMs);
    await this.link.close();
  }

  unwrap<T>(): T {
    return this.link as T;
  }

  connected(): void {
    this.setConnected(true);
    this.sender.connected();
  }

  disconnected(): void {
    this.setConnected(false);
    this.sender.disconnected();
  }

  writable(): void {
    this.sender.writable();
  }

  answered(body: string): void {
    this.sender.answered(body);
  }

  unroutable(envelopeId: string): void {
    this.sender.unroutable(envelopeId);
  }

  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const abort = new AbortController();
    void this.relay(packet, abort.signal, callback);
    return () => abort.abort();
  }

  protected async dispatchEvent<T = unknown>(packet: ReadPacket): Promise<T> {
    return (await this.publisher.publish(EventEnvelope.parse(packet.data))) as T;
  }

  private async relay(
    packet: ReadPacket,
    signal: AbortSignal,
    callback: (packet: WritePacket) => void,
  ): Promise<void> {
    const pattern = String(packet.pattern);
    const queue = rpcQueue(pattern.slice(0, pattern.indexOf('.')));
    const call = { queue, pattern, request: packet.data, timeoutMs: PROXY_TIMEOUT_MS, signal };
    try {
      callback({ response: await this.sender.send(call), isDisposed: true });
    } catch (err) {
      callback({ err, isDisposed: true });
    }
  }

  private setConnected(isConnected: boolean): void {
    this.connection.update(isConnected);
    showConnected(this.bus.service, 'client', isConnected);
  }
}
