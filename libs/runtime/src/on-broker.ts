import { type Config, ConfigError } from '@glimpse/config';
import type { RunningService } from './running-service.js';

type Start = (config: Config) => Promise<RunningService>;

/** For a service that is a process of its own: refuses, with a ConfigError, to start where no other can reach it. */
export const onBroker =
  (start: Start): Start =>
  async (config) => {
    if (config.busUrl.startsWith('memory:'))
      throw new ConfigError(
        'GLIMPSE_BUS_URL: a service of its own needs RabbitMQ (amqp://…) to reach the others; `npm start` runs all of them in one process',
      );
    return start(config);
  };
