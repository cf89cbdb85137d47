import { type Config, ConfigError, type StoreConfig } from '@glimpse/config';
import { type ImageLocation, STAGING_STORE, ServiceError, isServiceError, storeOf } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import type { OpenResult, StoreProperties } from './driver-type.js';
import { driverTypes } from './drivers/index.js';
import type { Location, StoreDriver, StoredObject } from './store-driver.js';

/** A configured store as clients may see it. */
export interface StoreDescription {
  readonly id: string;
  readonly type: string;
  readonly description: string | null;
  /** Stores with a higher weight are read first. */
  readonly weight: number;
  readonly isDefault: boolean;
  readonly isReadOnly: boolean;
  /** How it is configured, for administrators. */
  readonly properties: StoreProperties;
}

/** An image's location together with the store that holds it. */
export interface ResolvedLocation {
  readonly storeId: string;
  readonly driver: StoreDriver;
  readonly location: Location;
}

interface Store {
  readonly description: StoreDescription;
  readonly driver: StoreDriver;
}

/** The configured stores by their id. Made by {@link createStores}; whoever made it closes it. */
export class StoreRegistry {
  constructor(
    private readonly stores: ReadonlyMap<string, Store>,
    /** The store that data goes to where the client names none. */
    readonly defaultId: string,
    private readonly isMultiStore: boolean,
    /** Where data waits to be imported: found by its reserved id alone, and never shown. */
    private readonly staging?: StoreDriver,
  ) {}

  /** In the order of the configuration. */
  get ids(): string[] {
    return [...this.stores.keys()];
  }

  find(id: string): StoreDriver | undefined {
    return id === STAGING_STORE ? this.staging : this.stores.get(id)?.driver;
  }

  /** Throws `STORE_UNKNOWN` where no such store is configured. */
  get(id: string): StoreDriver {
    return this.find(id) ?? this.entry(id).driver;
  }

  /** Throws `STORE_UNKNOWN` where no such store is configured. */
  describe(id: string): StoreDescription {
    return this.entry(id).description;
  }

  /**
   * Finds the store of a location: the one its metadata names, else the first whose locations look like it, the
   * default store before the others. Throws `STORE_UNKNOWN` or `STORE_LOCATION_INVALID` where there is none.
   */
  resolve(imageLocation: ImageLocation): ResolvedLocation {
    const { url } = imageLocation;
    const named = storeOf(imageLocation);
    if (named !== undefined) {
      const driver = this.get(named);
      return { storeId: named, driver, location: driver.parseLocation(url) };
    }
    for (const storeId of [this.defaultId, ...this.ids]) {
      const driver = this.get(storeId);
      const location = tryParse(driver, url);
      if (location !== undefined) return { storeId, driver, location };
    }
    throw new ServiceError('STORE_LOCATION_INVALID', 'The location belongs to none of the stores');
  }

  /** What to record of an object in the store `id`, so that {@link resolve} finds it again. */
  toImageLocation(id: string, { location, metadata }: StoredObject): ImageLocation {
    const isNamed = this.isMultiStore || id === STAGING_STORE;
    return { url: location.uri, metadata: { ...metadata, ...(isNamed ? { store: id } : {}) } };
  }

  /** Closes every driver. */
  async close(): Promise<void> {
    const drivers = [...this.stores.values()].map(({ driver }) => driver);
    if (this.staging !== undefined) drivers.push(this.staging);
    await Promise.all(drivers.map((driver) => driver.close()));
  }

  private entry(id: string): Store {
    const store = this.stores.get(id);
    if (store === undefined) throw new ServiceError('STORE_UNKNOWN', `There is no store "${id}"`);
    return store;
  }
}

function tryParse(driver: StoreDriver, uri: string): Location | undefined {
  try {
    return driver.parseLocation(uri);
  } catch (error) {
    if (isServiceError(error, 'STORE_LOCATION_INVALID')) return undefined;
    throw error;
  }
}

type Opened = Extract<OpenResult, { readonly driver: StoreDriver }>;
type Options = Config['stores'][string];

function openDriver(
  id: string,
  config: Options,
  logger: Logger,
  path = `stores.${id}`,
): Opened | { problems: string[] } {
  const { type, description: _description, weight: _weight, ...options }: Readonly<StoreConfig> = config;
  const driverType = driverTypes.find(({ name }) => name === type);
  if (driverType === undefined) {
    const known = driverTypes.map(({ name }) => name).join(', ');
    return { problems: [`${path}.type: "${type}" is not one of ${known}`] };
  }
  const result = driverType.open(options, logger.child({ store: id }));
  if ('driver' in result) return result;
  return {
    problems: result.problems.map(({ option, message }) => `${path}.${option}: ${message}`),
  };
}

/** Notices two stores that keep their data in one place: what one removes would be the other's. */
class Places {
  private readonly takenBy = new Map<string, string>();

  /** The problems with a store that was opened as `path` says in the configuration. */
  take(path: string, { places }: Opened): string[] {
    return places.flatMap((place) => {
      const other = this.takenBy.get(place);
      this.takenBy.set(place, path);
      return other === undefined ? [] : [`${path}: keeps its data in ${place}, and so does ${other}`];
    });
  }
}

/** Opens every configured store. Throws a `ConfigError` that names each option that can't be used. */
export function createStores(config: Config, logger: Logger): StoreRegistry {
  const stores = new Map<string, Store>();
  const problems: string[] = [];
  const places = new Places();
  for (const [id, options] of Object.entries(config.stores)) {
    const opened = openDriver(id, options, logger);
    if ('problems' in opened) {
      problems.push(...opened.problems);
      continue;
    }
    problems.push(...places.take(`stores.${id}`, opened));
    const description = {
      id,
      type: options.type,
      description: options.description ?? null,
      weight: options.weight,
      isDefault: id === config.defaultStore,
      isReadOnly: !opened.driver.capabilities.write,
      properties: opened.properties,
    };
    stores.set(id, { description, driver: opened.driver });
  }
  const staging = openDriver(STAGING_STORE, config.staging, logger, 'staging');
  if ('problems' in staging) problems.push(...staging.problems);
  else if (!staging.driver.capabilities.write) problems.push('staging.type: the store is read only');
  else problems.push(...places.take('staging', staging));
  if (problems.length > 0 || 'problems' in staging)
    throw new ConfigError(`The configuration has errors:\n  ${problems.join('\n  ')}`);
  return new StoreRegistry(stores, config.defaultStore, config.isMultiStore, staging.driver);
}
