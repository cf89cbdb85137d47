import { randomUUID } from 'node:crypto';
import { LiveEvents } from '@glimpse/bus';
import {
  type Caller,
  type Image,
  WEBHOOK_TEST_TYPE,
  type WebhookEventType,
  isEventTypeNamed,
  isInternalProperty,
  webhookEvents,
} from '@glimpse/contracts';
import { counter, metricNames } from '@glimpse/observability';
import {
  type ImageRow,
  type NewRow,
  type Transaction,
  type WebhookEventRow,
  type WebhookDeliveryRow,
  type WebhookRow,
  placeholders,
} from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { Clock } from '../clock.js';
import { PropertyProtection } from '../property-protection/property-protection.js';
import { RegistrySettings } from '../registry-settings.js';
import { type Heard, hear, isHeard } from './heard-event.js';
import { imageDocument } from './image-document.js';
import { WebhookEnd } from './webhook-end.js';
import { eventTypesOf } from './webhook-rows.js';

/** Characters of a message; an image whose properties take more is told without them. */
const MAX_PAYLOAD = 32_768;

/** What webhooks were not told of. */
export const dropped = counter({
  name: metricNames.webhookDropped,
  help: 'Messages that were not written down: too many wait that the same other project brought about (foreign), the event could not be told (failed), or it came longer ago than messages are kept (old).',
  labelNames: ['reason'],
});

type ListeningRow = Pick<WebhookRow, 'id' | 'project_id' | 'event_types'>;

/** What is known of an event that is told. */
type ToldEvent = Pick<WebhookEventRow, 'event_id' | 'name' | 'subject' | 'payload' | 'occurred_at'>;

interface Message extends Heard {
  readonly row: ToldEvent;
  readonly type: WebhookEventType;
}

type NewDelivery = ReturnType<WebhookFanOut['newDelivery']>;

/** Somebody of a project of whom no more is known: what he may see, everybody of it may. */
const anybodyOf = (projectId: string | null): Caller => ({
  requestId: '',
  userId: null,
  projectId,
  domainId: null,
  systemScope: null,
  roles: [],
  serviceRoles: [],
});

/** Writes down which webhook is to be sent which event. */
@Injectable()
export class WebhookFanOut {
  constructor(
    private readonly protection: PropertyProtection,
    private readonly end: WebhookEnd,
    private readonly live: LiveEvents,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  /** Writes each event down once for each webhook that listens to it, however often it is told. */
  async tell(tx: Transaction, rows: readonly ToldEvent[]): Promise<void> {
    const messages = await this.withOwners(
      tx,
      rows.flatMap((row) => this.messageOf(row)),
    );
    const listening = await this.findListening(tx, messages);
    const wanted = listening.flatMap((webhook) => this.deliveriesFor(webhook, messages));
    await this.add(tx, await this.withinBounds(tx, await withoutKnown(tx, wanted)));
    await this.endOverflowing(tx, listening);
  }

  /** A message that says nothing, to this webhook alone; answers with the id of the delivery. */
  async test(tx: Transaction, webhookId: string): Promise<string> {
    const occurredAt = this.clock.now();
    const delivery = this.newDelivery(webhookId, {
      event_id: randomUUID(),
      type: WEBHOOK_TEST_TYPE,
      subject: webhookId,
      payload: payloadOf(WEBHOOK_TEST_TYPE, occurredAt, { webhook: { id: webhookId } }),
      source_project: null,
    });
    await this.add(tx, [delivery]);
    return delivery.id;
  }

  /** Wakes the workers once the transaction is committed. */
  wake(tx: Transaction): void {
    tx.afterCommit(() => this.live.announce(webhookEvents.due, 'webhooks', {}));
  }

  private messageOf(row: ToldEvent): Message[] {
    if (!isHeard(row.name)) return [];
    const heard = hear(row.name, JSON.parse(row.payload), (image) => this.show(image));
    return heard === undefined ? [] : [{ ...heard, row, type: row.name }];
  }

  private show(image: Image): object {
    const visible = Object.entries(this.protection.visibleTo(anybodyOf(image.owner), image).properties);
    const properties = Object.fromEntries(visible.filter(([name]) => !isInternalProperty(name)));
    const document = imageDocument(image, properties);
    return JSON.stringify(document).length <= MAX_PAYLOAD
      ? document
      : { ...imageDocument(image, {}), properties_omitted: true };
  }

  private async withOwners(tx: Transaction, messages: readonly Message[]): Promise<Message[]> {
    const ids = [...new Set(messages.flatMap(({ ownerOf }) => ownerOf ?? []))];
    if (ids.length === 0) return [...messages];
    const images = await tx.query<Pick<ImageRow, 'id' | 'owner'>>(
      `SELECT id, owner FROM images WHERE id IN (${placeholders(ids)})`,
      ids,
    );
    const ownerOf = new Map(images.map(({ id, owner }) => [id, owner]));
    return messages.map((message) => {
      const owner = message.ownerOf === undefined ? undefined : ownerOf.get(message.ownerOf);
      return {
        ...message,
        projects: owner == null ? message.projects : [...message.projects, owner],
        ...(message.cause === 'owner' ? { cause: { project: owner ?? '' } } : {}),
      };
    });
  }

  private async findListening(tx: Transaction, messages: readonly Message[]): Promise<ListeningRow[]> {
    const projects = [...new Set(messages.flatMap((message) => message.projects))];
    if (projects.length === 0) return [];
    return tx.query<ListeningRow>(
      `SELECT id, project_id, event_types FROM webhooks
        WHERE is_enabled = 1 AND deleted_at IS NULL AND project_id IN (${placeholders(projects)})`,
      projects,
    );
  }

  private deliveriesFor(webhook: ListeningRow, messages: readonly Message[]) {
    const patterns = eventTypesOf(webhook);
    return messages
      .filter(
        ({ type, projects, row }) =>
          projects.includes(webhook.project_id) &&
          // It is disabled itself, and was enabled again since.
          row.subject !== webhook.id &&
          patterns.some((pattern) => isEventTypeNamed(pattern, type)),
      )
      .map(({ row, type, data, cause }) =>
        this.newDelivery(webhook.id, {
          source_project:
            typeof cause === 'object' && cause.project !== webhook.project_id ? cause.project : null,
          event_id: row.event_id,
          type,
          subject: row.subject,
          payload: payloadOf(type, row.occurred_at, data),
        }),
      );
  }

  private newDelivery(
    webhookId: string,
    message: Pick<WebhookDeliveryRow, 'event_id' | 'type' | 'subject' | 'payload' | 'source_project'>,
  ) {
    const now = this.clock.now();
    return {
      ...message,
      id: randomUUID(),
      webhook_id: webhookId,
      status: 'waiting',
      attempt: 0,
      due_at: now,
      created_at: now,
    } satisfies NewRow<'webhook_deliveries'>;
  }

  private async add(tx: Transaction, deliveries: readonly NewRow<'webhook_deliveries'>[]): Promise<void> {
    if (deliveries.length === 0) return;
    await tx.insert('webhook_deliveries', deliveries);
    this.wake(tx);
  }

  /** What one other project brings about waits up to a bound: it must not get in the way of what is the webhook's own. */
  private async withinBounds(tx: Transaction, wanted: readonly NewDelivery[]): Promise<NewDelivery[]> {
    const ids = new Set(
      wanted.flatMap(({ source_project: source, webhook_id: id }) => (source === null ? [] : [id])),
    );
    if (ids.size === 0) return [...wanted];
    const rows = await tx.query<
      Pick<WebhookDeliveryRow, 'webhook_id' | 'source_project'> & { count: number }
    >(
      `SELECT webhook_id, source_project, COUNT(*) AS count FROM webhook_deliveries
        WHERE webhook_id IN (${placeholders([...ids])}) AND status IN ('waiting', 'sending')
          AND source_project IS NOT NULL
        GROUP BY webhook_id, source_project`,
      [...ids],
    );
    const keyOf = (of: Pick<WebhookDeliveryRow, 'webhook_id' | 'source_project'>) =>
      `${of.webhook_id} ${of.source_project ?? ''}`;
    const waiting = new Map(rows.map((row) => [keyOf(row), row.count]));
    const { maxWaitingForeign } = this.settings.config.webhooks;
    const kept = wanted.filter((delivery) => {
      if (delivery.source_project === null) return true;
      const count = (waiting.get(keyOf(delivery)) ?? 0) + 1;
      waiting.set(keyOf(delivery), count);
      return count <= maxWaitingForeign;
    });
    tx.afterCommit(() => dropped.inc({ reason: 'foreign' }, wanted.length - kept.length));
    return kept;
  }

  /** Nobody but the project itself can bring its webhooks to that. */
  private async endOverflowing(tx: Transaction, webhooks: readonly ListeningRow[]): Promise<void> {
    const { maxWaiting } = this.settings.config.webhooks;
    for (const webhook of webhooks) {
      const [row] = await tx.query<{ waiting: number }>(
        `SELECT COUNT(*) AS waiting FROM webhook_deliveries
          WHERE webhook_id = ? AND status = 'waiting' AND source_project IS NULL`,
        [webhook.id],
      );
      if ((row?.waiting ?? 0) > maxWaiting) await this.end.disable(tx, webhook, 'overflow');
    }
  }
}

/** The body of a message, as Standard Webhooks wants it. */
const payloadOf = (type: string, occurredAt: number, data: object): string =>
  JSON.stringify({ type, timestamp: new Date(occurredAt).toISOString(), data });

/** Those that are not written down yet: two registries may have published the same events. */
async function withoutKnown<D extends { readonly webhook_id: string; readonly event_id: string }>(
  tx: Transaction,
  deliveries: readonly D[],
): Promise<D[]> {
  const ids = [...new Set(deliveries.map(({ event_id: id }) => id))];
  if (ids.length === 0) return [];
  const rows = await tx.query<Pick<D, 'webhook_id' | 'event_id'>>(
    `SELECT webhook_id, event_id FROM webhook_deliveries WHERE event_id IN (${placeholders(ids)})`,
    ids,
  );
  const known = new Set(rows.map((row) => `${row.event_id} ${row.webhook_id}`));
  return deliveries.filter((delivery) => !known.has(`${delivery.event_id} ${delivery.webhook_id}`));
}
