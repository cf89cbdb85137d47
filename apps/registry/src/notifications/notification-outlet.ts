import { NotificationSender, type BusOptions } from '@glimpse/bus';
import type { Config } from '@glimpse/config';
import type { Logger } from '@glimpse/observability';
import type { NotificationRow } from '@glimpse/persistence';
import { notificationOf, osloMessage } from './oslo-message.js';

/** Where notifications go to, by the configured driver. */
export abstract class NotificationOutlet {
  /** Whether anything goes anywhere. */
  readonly isOpen: boolean = true;

  /** Whether what is sent now goes out; false while there is no connection, whatever is sent. */
  get isReady(): boolean {
    return true;
  }

  /** Resolves when the notification is where it belongs, for sure; else rejects, within bounded time. */
  abstract send(row: NotificationRow): Promise<void>;

  abstract close(): Promise<void>;
}

class NoOutlet extends NotificationOutlet {
  override readonly isOpen = false;

  send(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class LogOutlet extends NotificationOutlet {
  constructor(
    private readonly logger: Logger,
    private readonly publisherId: string,
  ) {
    super();
  }

  send(row: NotificationRow): Promise<void> {
    const notification = notificationOf(row, this.publisherId);
    this.logger[row.priority === 'ERROR' ? 'error' : 'info']({ notification }, 'notification');
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class BrokerOutlet extends NotificationOutlet {
  private readonly sender: NotificationSender;
  /** The queues that did not take what was sent to them last. */
  private readonly failing = new Set<string>();

  constructor(
    bus: BusOptions,
    private readonly options: Config['notifications'],
  ) {
    super();
    this.sender = new NotificationSender(bus, options);
  }

  override get isReady(): boolean {
    return this.sender.isReady;
  }

  /** A topic that fails has the row sent again to all of them, each time: so first where it will fail, before any other. */
  async send(row: NotificationRow): Promise<void> {
    const queues = this.options.topics.map((topic) => `${topic}.${row.priority.toLowerCase()}`);
    for (const queue of queues.toSorted((a, b) => this.fails(b) - this.fails(a))) {
      try {
        await this.sender.send(queue, osloMessage(row, this.options));
        this.failing.delete(queue);
      } catch (error) {
        this.failing.add(queue);
        throw error;
      }
    }
  }

  close(): Promise<void> {
    return this.sender.close();
  }

  private fails(queue: string): number {
    return this.failing.has(queue) || this.sender.isMissing(queue) ? 1 : 0;
  }
}

/** The outlet of the configuration. It connects in the background. */
export function openOutlet(config: Config, bus: BusOptions): NotificationOutlet {
  const { driver, transportUrl, publisherId } = config.notifications;
  if (driver === 'noop') return new NoOutlet();
  if (driver === 'log') return new LogOutlet(bus.logger, publisherId);
  return new BrokerOutlet({ ...bus, url: transportUrl ?? config.busUrl }, config.notifications);
}
