import { ConfigError } from '@glimpse/config';
import type { Logger } from '@glimpse/observability';

/** Something that is read from an operator's file. */
interface Loadable {
  /** Throws a `ConfigError` where the file can't be used, and changes nothing then. */
  load(): void;
}

/** Loads each of them again; what can't be used is logged and stays as it was. */
export function reload(parts: readonly Loadable[], logger: Logger): void {
  for (const part of parts) {
    try {
      part.load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      logger.error({ reason: error.message }, 'not reloaded, what was there before still counts');
    }
  }
}
