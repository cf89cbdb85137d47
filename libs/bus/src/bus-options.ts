import type { Config } from '@glimpse/config';
import type { Logger } from '@glimpse/observability';

/** What every end of the bus is made of. */
export interface BusOptions {
  /** Name of the service, e.g. `registry`: its queues are named after it. */
  readonly service: string;
  /** Name of this process, unique among all replicas. */
  readonly instanceId: string;
  /** `amqp://…`, `amqps://…` or `memory:…`; memory buses with the same URL in one process are one broker. */
  readonly url: string;
  readonly options: Config['bus'];
  readonly logger: Logger;
}
