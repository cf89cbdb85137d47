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
import {
  type ImageRow,
  type NewRow,
  type OutboxRow,
  type Transaction,
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

type ListeningRow = Pick<WebhookRow, 'id' | 'project_id' | 'event_types'>;

interface Message extends Heard {
  readonly row: OutboxRow;
  readonly type: WebhookEventType;
}

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

  /**
   * Takes events, in the transaction that marks them as published: each is written down once for each webhook that
   * listens to it, however often it is published.
   */
  async hear(tx: Transaction, rows: readonly OutboxRow[]): Promise<void> {
    if (!this.settings.config.webhooks.enabled || !rows.some(({ name }) => isHeard(name))) return;
    const some = await tx.query('SELECT id FROM webhooks WHERE is_enabled = 1 LIMIT 1');
    if (some.length === 0) return;
    const messages = await this.withOwners(
      tx,
      rows.flatMap((row) => this.messageOf(row)),
    );
    const listening = await this.findListening(tx, messages);
    const wanted = listening.flatMap((webhook) => this.deliveriesFor(webhook, messages));
    await this.add(tx, await withoutKnown(tx, wanted));
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
    });
    await this.add(tx, [delivery]);
    return delivery.id;
  }

  /** Wakes the workers once the transaction is committed. */
  wake(tx: Transaction): void {
    tx.afterCommit(() => this.live.announce(webhookEvents.due, 'webhooks', {}));
  }

  private messageOf(row: OutboxRow): Message[] {
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
      return owner == null ? message : { ...message, projects: [...message.projects, owner] };
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
      .map(({ row, type, data }) =>
        this.newDelivery(webhook.id, {
          event_id: row.event_id,
          type,
          subject: row.subject,
          payload: payloadOf(type, row.occurred_at, data),
        }),
      );
  }

  private newDelivery(
    webhookId: string,
    message: { event_id: string; type: string; subject: string; payload: string },
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

  private async endOverflowing(tx: Transaction, webhooks: readonly ListeningRow[]): Promise<void> {
    const { maxWaiting } = this.settings.config.webhooks;
    for (const webhook of webhooks) {
      const [row] = await tx.query<{ waiting: number }>(
        "SELECT COUNT(*) AS waiting FROM webhook_deliveries WHERE webhook_id = ? AND status = 'waiting'",
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
