import type { EventDefinition, RpcDefinition } from '@glimpse/contracts';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import type { BusOptions } from './bus-options.js';
import { createServerLink } from './create-link.js';
import { EventReceiver } from './events/event-receiver.js';
import { retryDelays } from './events/retry-delays.js';
import type { EventDelivery } from './handle-event.js';
import { CallHandler } from './rpc/call-handler.js';
import type { CallWatch } from './rpc/call-watch.js';
import { RequestReceiver } from './rpc/request-receiver.js';
import { subscribedEvents } from './topology.js';
import type { EventConsumption, ServerLink } from './transport.js';
import { WorkInFlight } from './work-in-flight.js';

/** How long the start waits for the broker before it goes on without: it is consumed from once it is there. */
const LISTEN_WAIT_MS = 5_000;
const DEFAULT_GRACE_MS = 30_000;

type HandlerExtras =
  | { readonly definition: RpcDefinition }
  | { readonly definition: EventDefinition; readonly delivery: EventDelivery };

/** The receiving end of the bus: a NestJS transport strategy with a connection of its own. */
export class BusStrategy extends Server implements CustomTransportStrategy {
  private readonly link: ServerLink;
  private readonly work = new WorkInFlight();
  private readonly calls: CallHandler;
  private readonly serviceEvents: EventReceiver;
  private readonly instanceEvents: EventReceiver;
  private closing: Promise<void> | null = null;

  constructor(private readonly bus: BusOptions) {
    super();
    const { logger } = bus;
    this.link = createServerLink(bus);
    this.calls = new CallHandler(logger);
    this.serviceEvents = new EventReceiver('service', retryDelays(bus.options), logger, this.work.end);
    this.instanceEvents = new EventReceiver('instance', [], logger, this.work.end);
  }

  /** From now on `watch` sees every call. An interceptor could too, but takes as long as a short handler does. */
  watchCalls(watch: CallWatch): void {
    this.calls.watchWith(watch);
  }

  /** Called by NestJS with every handler, before `listen`. */
  override addHandler(pattern: string, run: MessageHandler, isEvent = false, extras = {}): void {
    if (!isEvent && this.messageHandlers.has(pattern))
      throw new Error(`Two handlers answer ${pattern}; a call has one`);
    super.addHandler(pattern, run, isEvent, extras);
  }

  /**
   * Starts to consume. Fails when a handler is for another service, or handlers and subscriptions differ; without a
   * broker it goes on connecting in the background.
   */
  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      this.registerHandlers();
      await this.startConsuming();
    } catch (error) {
      callback(error);
      return;
    }
    callback();
  }

  /** Whether calls and events arrive. */
  isConnected(): boolean {
    return this.link.isConnected();
  }

  /**
   * Takes nothing more, waits up to `graceMs` (30 s unless given) for the handlers that run, and disconnects when their
   * answers and acknowledgements are with the broker. What was not acknowledged by then is delivered to another replica:
   * events are handled there, calls are refused with BUS_UNAVAILABLE. Call it before `app.close()`, which destroys what
   * the handlers use; repeating it does nothing.
   */
  close(graceMs = DEFAULT_GRACE_MS): Promise<void> {
    this.closing ??= this.drain(graceMs);
    return this.closing;
  }

  unwrap<T>(): T {
    return this.link as T;
  }

  on(): void {
    throw new Error('The bus has no events of its own; ask isConnected()');
  }

  private async drain(graceMs: number): Promise<void> {
    await this.link.stopConsuming();
    if (!(await this.work.becomesIdle(graceMs)))
      this.bus.logger.warn(
        { graceMs },
        'handlers still run at the end of the grace period; leaving them behind',
      );
    await this.link.close();
  }

  private registerHandlers(): void {
    const { service } = this.bus;
    for (const [pattern, run] of this.messageHandlers) {
      const extras = run.extras as HandlerExtras;
      if (!('delivery' in extras)) {
        if (extras.definition.owner !== service)
          throw new Error(`${pattern} is answered by ${extras.definition.owner}, not by ${service}`);
        this.calls.register(extras.definition, run);
      } else if (extras.delivery === 'service') this.serviceEvents.register(extras.definition, run);
      else this.instanceEvents.register(extras.definition, run);
    }
    const subscribed = subscribedEvents(service).toSorted().join(', ');
    const handled = this.serviceEvents.names.toSorted().join(', ');
    if (subscribed !== handled)
      throw new Error(`${service} subscribes to [${subscribed}] in topology.ts but handles [${handled}]`);
  }

  private async startConsuming(): Promise<void> {
    const requests = new RequestReceiver(this.calls, this.bus.logger, this.work.end);
    const opened = this.link.open({
      requests: this.calls.isEmpty
        ? null
        : (delivery) => {
            this.work.begin();
            requests.take(delivery);
          },
      serviceEvents: this.consumption(this.serviceEvents),
      instanceEvents: this.consumption(this.instanceEvents),
    });
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), LISTEN_WAIT_MS);
    });
    if ((await Promise.race([opened, patience])) === 'late')
      this.bus.logger.warn('the message broker is not there yet; connecting goes on in the background');
    clearTimeout(timer);
  }

  private consumption(receiver: EventReceiver): EventConsumption | null {
    if (receiver.names.length === 0) return null;
    return {
      names: receiver.names,
      take: (arrival) => {
        this.work.begin();
        receiver.take(arrival);
      },
    };
  }
}

/** The strategy for `app.connectMicroservice({ strategy })`. */
export const createBusStrategy = (bus: BusOptions): BusStrategy => new BusStrategy(bus);
