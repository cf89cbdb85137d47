import type { Config } from '@glimpse/config';
import type { Logger } from '@glimpse/observability';

/** What every part of the gateway may ask for. */
export class GatewaySettings {
  constructor(
    readonly config: Config,
    readonly instanceId: string,
    readonly logger: Logger,
    /** Aborts when transfers that still run are given up, because the service ends. */
    readonly transfersEnd: AbortSignal,
  ) {}
}
