import { setTimeout as delay } from 'node:timers/promises';
import type { LiveEvents, RpcClient } from '@glimpse/bus';
import {
  type ClaimedDelivery,
  type DeliveryOutcome,
  MAX_CLAIMED_DELIVERIES,
  isServiceError,
  registryWebhookDeliveries,
  webhookEvents,
} from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import { isDoneWithin } from '@glimpse/runtime';
import { ClaimLoop } from '../../runner/claim-loop.js';
import type { WebhookSender } from './webhook-sender.js';

/** Pause before the registry is told again what came of a message. */
const REPORT_RETRY_MS = 500;
/** So often; then its lease runs out, and it is sent again. */
const REPORT_ATTEMPTS = 20;

export interface WebhookRunnerOptions {
  readonly instanceId: string;
  readonly isEnabled: boolean;
  /** Messages at once. */
  readonly concurrency: number;
  /** How often to look for messages that nobody announced, in milliseconds. */
  readonly pollMs: number;
}

/** Claims messages from the registry and sends them, a bounded number at once, beside the jobs and apart from them. */
export class WebhookRunner {
  private readonly sending = new Set<Promise<void>>();
  private readonly claims: ClaimLoop;
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly rpc: Pick<RpcClient, 'call'>,
    private readonly live: Pick<LiveEvents, 'listen'>,
    private readonly sender: Pick<WebhookSender, 'send' | 'close'>,
    private readonly options: WebhookRunnerOptions,
    private readonly logger: Logger,
  ) {
    this.claims = new ClaimLoop(
      () => this.claim(),
      (error) => logger.warn({ err: error }, 'could not ask for messages to webhooks'),
      options.pollMs,
    );
  }

  start(): void {
    if (!this.options.isEnabled) return;
    this.stopListening = this.live.listen(webhookEvents.due, () => this.wake());
    this.claims.start();
  }

  /** Looks for messages now. */
  wake(): void {
    this.claims.wake();
  }

  /**
   * Claims nothing more and lets messages be sent for up to `graceMs` milliseconds; those that are not are sent again by
   * another worker.
   */
  async stop(graceMs: number): Promise<void> {
    this.claims.stop();
    this.stopListening?.();
    if (!(await isDoneWithin(this.allDone(), graceMs)))
      this.logger.warn({ messages: this.sending.size }, 'leaving messages to webhooks to another worker');
    await this.sender.close();
  }

  private async allDone(): Promise<void> {
    await this.claims.settled();
    while (this.sending.size > 0) await Promise.all(this.sending);
  }

  private async claim(): Promise<void> {
    const free = this.options.concurrency - this.sending.size;
    if (free <= 0) return;
    const { deliveries } = await this.rpc.call(registryWebhookDeliveries.claim, {
      instanceId: this.options.instanceId,
      limit: Math.min(free, MAX_CLAIMED_DELIVERIES),
    });
    for (const delivery of deliveries) this.begin(delivery);
    // There may be more than one claim brings.
    if (deliveries.length > 0) this.wake();
  }

  private begin(delivery: ClaimedDelivery): void {
    const sent = this.deliver(delivery).finally(() => {
      this.sending.delete(sent);
      // A place is free, and more may be waiting.
      this.wake();
    });
    this.sending.add(sent);
  }

  /** Never rejects. */
  private async deliver(delivery: ClaimedDelivery): Promise<void> {
    const outcome = await this.sender.send(delivery);
    const logger = this.logger.child({ webhook: delivery.webhookId, delivery: delivery.id });
    logger.debug({ outcome }, 'message to a webhook');
    try {
      await this.report(delivery, outcome);
    } catch (error) {
      logger.warn({ err: error }, 'could not tell what came of a message to a webhook, it is sent again');
    }
  }

  /** Repeats the call until it is answered; it can be. */
  private async report({ id, leaseToken }: ClaimedDelivery, outcome: DeliveryOutcome): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.rpc.call(registryWebhookDeliveries.finish, { id, leaseToken, outcome });
        return;
      } catch (error) {
        if (!isServiceError(error) || !error.isRetryable || attempt === REPORT_ATTEMPTS) throw error;
        await delay(REPORT_RETRY_MS);
      }
    }
  }
}
