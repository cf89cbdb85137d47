import type { Logger } from '@glimpse/observability';
import type { z } from 'zod';
import type { StoreDriver } from './store-driver.js';

/** How a store is configured, without anything secret. */
export type StoreProperties = Readonly<Record<string, string | number | boolean | null>>;

/** A kind of store as it is configured: its options and how to open it. */
export interface DriverType<Options = unknown> {
  /** In the configuration: `stores.<id>.type`. */
  readonly name: string;
  readonly options: z.ZodType<Options>;
  /** What administrators may see of the configuration, by Glance's names. */
  readonly properties: (options: Options) => StoreProperties;
  /** Whether a location lies in such a store, as far as it shows: where its driver takes it for one of its own. */
  readonly recognizes: (options: Options, uri: string) => boolean;
  /**
   * Where the data lies that an open store writes, told apart from every other place: two stores on one would remove each
   * other's data. Absent where nothing is written.
   */
  readonly places?: (options: Options) => readonly string[];
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

/** What `attempt` returns; its failure as an `OptionError` of `option`. */
export function orOptionError<T>(option: string, attempt: () => T): T {
  try {
    return attempt();
  } catch (error) {
    throw new OptionError(option, error instanceof Error ? error.message : String(error), { cause: error });
  }
}

/** A driver type whose options are checked by its own schema before it is opened. */
export interface OpenableType {
  readonly name: string;
  /** The driver, or every problem with the options. */
  readonly open: (options: unknown, logger: Logger) => OpenResult;
  /** Tells the locations of a store that is configured so; undefined where the options have problems. Opens nothing. */
  readonly recognizer: (options: unknown) => ((uri: string) => boolean) | undefined;
}

interface Problem {
  readonly option: string;
  readonly message: string;
}

export type OpenResult =
  | {
      readonly driver: StoreDriver;
      readonly properties: StoreProperties;
      readonly places: readonly string[];
    }
  | { readonly problems: readonly Problem[] };

function toProblems(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return [{ option: path, message: issue.message }];
  return issue.keys.map((key) => ({ option: [...issue.path, key].join('.'), message: 'no such option' }));
}

/** Puts the check of the options in front of opening the driver. */
export function checked<Options>(type: DriverType<Options>): OpenableType {
  return {
    name: type.name,
    recognizer: (options) => {
      const parsed = type.options.safeParse(options);
      return parsed.success ? (uri) => type.recognizes(parsed.data, uri) : undefined;
    },
    open: (options, logger) => {
      const parsed = type.options.safeParse(options);
      if (!parsed.success) return { problems: parsed.error.issues.flatMap(toProblems) };
      try {
        return {
          driver: type.open(parsed.data, logger),
          properties: type.properties(parsed.data),
          places: type.places?.(parsed.data) ?? [],
        };
      } catch (error) {
        if (!(error instanceof OptionError)) throw error;
        return { problems: [{ option: error.option, message: error.message }] };
      }
    },
  };
}
