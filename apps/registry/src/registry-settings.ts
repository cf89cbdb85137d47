import type { Config } from '@glimpse/config';
import type { Logger } from '@glimpse/observability';

/** What every part of the registry is built with. */
export class RegistrySettings {
  constructor(
    readonly config: Config,
    readonly instanceId: string,
    readonly logger: Logger,
  ) {}
}
