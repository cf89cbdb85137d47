import { type EventDefinition, EventEnvelope } from '@glimpse/contracts';
import { type Logger, counter, metricNames, runInContext, traceparentFrom } from '@glimpse/observability';
import type { MessageHandler } from '@nestjs/microservices';
import type { EventDelivery } from '../handle-event.js';
import { reportRefusal } from '../refused-messages.js';
import { invoke } from '../rpc/invoke.js';
import type { EventArrival } from '../transport.js';

interface EventHandler {
  readonly run: MessageHandler;
  readonly definition: EventDefinition;
}

/** The event can never be handled, however often it is tried. */
class PoisonError extends Error {
  override readonly name = 'PoisonError';
}

const handled = counter({
  name: metricNames.eventsHandled,
  help: 'Deliveries of events, by what became of them.',
  labelNames: ['name', 'delivery', 'outcome'],
});

/** Runs the handlers of events that arrive by one kind of delivery, and decides what becomes of those that fail. */
export class EventReceiver {
  private readonly handlers = new Map<string, EventHandler>();

  constructor(
    private readonly delivery: EventDelivery,
    /** The pauses before the second and further attempts. */
    private readonly delaysMs: readonly number[],
    private readonly logger: Logger,
    private readonly onDone: () => void,
  ) {}

  register(definition: EventDefinition, run: MessageHandler): void {
    this.handlers.set(definition.name, { run, definition });
  }

  get names(): string[] {
    return [...this.handlers.keys()];
  }

  take(arrival: EventArrival): void {
    void this.handle(arrival).finally(this.onDone);
  }

  private async handle(arrival: EventArrival): Promise<void> {
    let name = 'unknown';
    try {
      if (arrival.refusal !== null) {
        reportRefusal(this.logger, 'event', arrival.refusal);
        throw new PoisonError(`The event was ${arrival.refusal}`);
      }
      const envelope = this.open(arrival.body);
      const handler = this.handlers.get(envelope.name);
      // A queue can hold what only newer replicas know; another attempt may reach one of them.
      if (handler === undefined) throw new Error(`Nothing handles ${envelope.name}`);
      name = envelope.name;
      const payload = this.parse(() => handler.definition.payload.parse(envelope.payload));
      await runInContext({ traceparent: traceparentFrom(envelope.traceparent) }, () =>
        invoke(handler.run, { ...envelope, payload }),
      );
      arrival.done();
      this.count(name, 'handled');
    } catch (error) {
      await this.giveUp(arrival, name, error);
    }
  }

  private async giveUp(arrival: EventArrival, name: string, error: unknown): Promise<void> {
    const outcome = this.outcomeOf(arrival, error);
    this.count(name, outcome);
    this.logger[outcome === 'retried' ? 'warn' : 'error'](
      { err: error, event: name, attempt: arrival.attempt, outcome },
      'event was not handled',
    );
    try {
      if (outcome === 'dropped') arrival.done();
      else if (outcome === 'retried') await arrival.retry(this.delaysMs[arrival.attempt - 1] ?? 0);
      else await arrival.bury(error instanceof Error ? error.message : String(error));
    } catch (err) {
      this.logger.warn({ err, event: name }, 'event could not be put aside; it will be delivered again');
    }
  }

  /** What each instance must see is a hint that ages, and there is no queue to replay it to: it is not tried again. */
  private outcomeOf(arrival: EventArrival, error: unknown): 'dropped' | 'buried' | 'retried' {
    if (this.delivery === 'instance') return 'dropped';
    return error instanceof PoisonError || arrival.attempt > this.delaysMs.length ? 'buried' : 'retried';
  }

  private open(body: string): EventEnvelope {
    return this.parse(() => EventEnvelope.parse(JSON.parse(body)));
  }

  private parse<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw new PoisonError(`The event breaks its contract: ${String(cause)}`, { cause });
    }
  }

  private count(name: string, outcome: string): void {
    handled.inc({ name, delivery: this.delivery, outcome });
  }
}
