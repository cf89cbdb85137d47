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

  async send(row: NotificationRow): Promise<void> {
    // A topic that failed has all of them sent again: consumers know the message by its id.
    for (const topic of this.options.topics)
      await this.sender.send(`${topic}.${row.priority.toLowerCase()}`, osloMessage(row, this.options));
  }

  close(): Promise<void> {
    return this.sender.close();
  }
}

/** The outlet of the configuration. It connects in the background. */
export function openOutlet(config: Config, bus: BusOptions): NotificationOutlet {
  const { driver, transportUrl, publisherId } = config.notifications;
  if (driver === 'noop') return new NoOutlet();
  if (driver === 'log') return new LogOutlet(bus.logger, publisherId);
  return new BrokerOutlet({ ...bus, url: transportUrl ?? config.busUrl }, config.notifications);
}
