import type { Logger } from '@glimpse/observability';
import type { z } from 'zod';
import type { StoreDriver } from './store-driver.js';

/** A kind of store as it is configured: its options and how to open it. */
export interface DriverType<Options = unknown> {
  /** In the configuration: `stores.<id>.type`. */
  readonly name: string;
  readonly options: z.ZodType<Options>;
  /** Throws an `OptionError` where the options are well-formed but can't be used here. */
  readonly open: (options: Options, logger: Logger) => StoreDriver;
}

/** An option of a store that can't be used, by its name in the configuration. */
export class OptionError extends Error {
  override readonly name = 'OptionError';

  constructor(
    readonly option: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A driver type whose options are checked by its own schema before it is opened. */
export interface OpenableType {
  readonly name: string;
  /** The first problem with each option, or the driver. */
  readonly open: (options: unknown, logger: Logger) => OpenResult;
}

export type OpenResult =
  | { readonly driver: StoreDriver }
  | { readonly problems: readonly { readonly option: string; readonly message: string }[] };

/** Puts the check of the options in front of opening the driver. */
export function checked<Options>(type: DriverType<Options>): OpenableType {
  return {
    name: type.name,
    open: (options, logger) => {
      const parsed = type.options.safeParse(options);
      if (!parsed.success)
        return {
          problems: parsed.error.issues.map((issue) => ({
            option: issue.path.join('.'),
            message: issue.message,
          })),
        };
      try {
        return { driver: type.open(parsed.data, logger) };
      } catch (error) {
        if (error instanceof OptionError)
          return { problems: [{ option: error.option, message: error.message }] };
        throw error;
      }
    },
  };
}
