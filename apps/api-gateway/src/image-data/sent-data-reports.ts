import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RpcClient } from '@glimpse/bus';
import { MAX_SENT_DATA, type SentData, isNotificationNamed, registryNotifications } from '@glimpse/contracts';
import { counter, gauge, metricNames } from '@glimpse/observability';
import { Injectable } from '@nestjs/common';
import { GatewaySettings } from '../gateway-settings.js';

/** Downloads that end within this time are told in one call. */
const GATHER_MS = 200;
/** The pauses while the registry is away, doubling. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

const waiting = gauge({
  name: metricNames.downloadsToNotify,
  help: 'Downloads of which the registry does not know yet that others are to be notified.',
});
const forgotten = counter({
  name: metricNames.downloadsForgotten,
  help: 'Downloads that nobody was notified of, because too many waited or the gateway ended.',
});

/** A download that has ended. */
export type EndedDownload = Omit<SentData, 'id' | 'sentAt'>;

/**
 * Tells the registry which data was sent to whom, where others are notified of it (`image.send`). No download waits for
 * it. While the registry is away a bounded number of downloads is remembered; what a gateway that is killed remembers,
 * at most those of a moment while the registry is there, is lost.
 */
@Injectable()
export class SentDataReports {
  private readonly isOn: boolean;
  private readonly reports: SentData[] = [];
  private sending: Promise<void> | undefined;
  private readonly ending = new AbortController();

  constructor(
    private readonly rpc: RpcClient,
    private readonly settings: GatewaySettings,
  ) {
    const { driver, disabledNotifications } = settings.config.notifications;
    this.isOn = driver !== 'noop' && !isNotificationNamed('image.send', disabledNotifications);
  }

  /** Never throws, and does nothing where nobody is notified. */
  note(download: EndedDownload): void {
    if (!this.isOn) return;
    this.reports.push({ ...download, id: randomUUID(), sentAt: new Date().toISOString() });
    if (this.reports.length > this.settings.config.notifications.sendBuffer) {
      this.reports.shift();
      forgotten.inc();
    }
    waiting.set(this.reports.length);
    this.sending ??= this.sendAll().finally(() => {
      this.sending = undefined;
    });
  }

  /** Tells what is left, once more; resolves in the end. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.sending;
    forgotten.inc(this.reports.length);
    waiting.set(0);
  }

  private async sendAll(): Promise<void> {
    let pauseMs = GATHER_MS;
    let retryMs = FIRST_PAUSE_MS;
    while (this.reports.length > 0) {
      const { signal } = this.ending;
      const isLastTry = signal.aborted;
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      if (await this.sendSome()) {
        pauseMs = this.reports.length < MAX_SENT_DATA ? GATHER_MS : 0;
        retryMs = FIRST_PAUSE_MS;
      } else {
        if (isLastTry) return;
        pauseMs = retryMs;
        retryMs = Math.min(LONGEST_PAUSE_MS, retryMs * 2);
      }
    }
  }

  private async sendSome(): Promise<boolean> {
    const sent = this.reports.slice(0, MAX_SENT_DATA);
    try {
      await this.rpc.call(registryNotifications.dataSent, { sent });
    } catch (error) {
      this.settings.logger.warn({ err: error, count: sent.length }, 'downloads could not be reported');
      return false;
    }
    // Some may have been forgotten meanwhile.
    const told = new Set(sent.map(({ id }) => id));
    while (told.has(this.reports[0]?.id ?? '')) this.reports.shift();
    waiting.set(this.reports.length);
    return true;
  }
}
