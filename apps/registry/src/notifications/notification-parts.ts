import type { BusOptions } from '@glimpse/bus';
import type { Config } from '@glimpse/config';
import { NotificationOutlet, openOutlet } from './notification-outlet.js';
import { ImageNotices } from './image-notices.js';
import { NotificationRelay } from './notification.relay.js';
import { NotificationSignal } from './notification-signal.js';
import { NotificationWriter } from './notification.writer.js';
import { SentDataService } from './sent-data.service.js';

/** What notifies others as Glance does. */
export const notificationProviders = (config: Config, bus: BusOptions) => [
  { provide: NotificationOutlet, useFactory: () => openOutlet(config, bus) },
  NotificationSignal,
  NotificationWriter,
  NotificationRelay,
  ImageNotices,
  SentDataService,
];
