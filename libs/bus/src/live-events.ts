import { randomUUID } from 'node:crypto';
import { type EventDefinition, EventEnvelope, type PayloadOf, type ReceivedEvent } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import { Injectable } from '@nestjs/common';
import type { ClientLink } from './transport.js';

type Take = (event: ReceivedEvent) => void;

interface Listening {
  readonly takers: Set<Take>;
  readonly end: () => void;
}

/**
 * Events that are worth something at the moment only, and that nobody misses when they get lost: they are stored
 * nowhere, and only those who listen right now see them.
 */
@Injectable()
export class LiveEvents {
  private readonly listening = new Map<string, Listening>();

  constructor(
    private readonly link: ClientLink,
    private readonly logger: Logger,
  ) {}

  /** Sends the event to all who listen. Costs next to nothing where nobody does; without a connection it is dropped. */
  announce<D extends EventDefinition>(definition: D, subject: string, payload: PayloadOf<D>): void {
    const { name } = definition;
    this.link.announce({
      id: randomUUID(),
      name,
      occurredAt: new Date().toISOString(),
      subject,
      data: JSON.stringify(payload),
    });
  }

  /**
   * Hands on the events of that definition, from a moment after the call, while there is a connection; a lost connection
   * is made anew. The queue on the broker exists while somebody listens. Returns how to stop.
   */
  listen<D extends EventDefinition>(definition: D, take: (event: ReceivedEvent<D>) => void): () => void {
    const { name } = definition;
    const listening = this.listening.get(name) ?? this.begin(definition);
    listening.takers.add(take);
    return () => {
      listening.takers.delete(take);
      if (listening.takers.size > 0 || this.listening.get(name) !== listening) return;
      this.listening.delete(name);
      listening.end();
    };
  }

  private begin(definition: EventDefinition): Listening {
    const takers = new Set<Take>();
    const end = this.link.listen(definition.name, (body) => {
      const event = this.open(definition, body);
      if (event !== null) for (const take of takers) take(event);
    });
    const listening = { takers, end };
    this.listening.set(definition.name, listening);
    return listening;
  }

  private open(definition: EventDefinition, body: string): ReceivedEvent | null {
    try {
      const envelope = EventEnvelope.parse(JSON.parse(body));
      return { ...envelope, payload: definition.payload.parse(envelope.payload) };
    } catch (error) {
      this.logger.warn(
        { err: error, event: definition.name },
        'a live event breaks its contract, dropping it',
      );
      return null;
    }
  }
}
