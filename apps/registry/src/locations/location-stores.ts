import { type ImageLocation, storeOf } from '@glimpse/contracts';
import { createStoreFinder } from '@glimpse/stores';
import { Injectable } from '@nestjs/common';
import { RegistrySettings } from '../registry-settings.js';

/** Which store a location is in. */
@Injectable()
export class LocationStores {
  private readonly find: (url: string) => string | undefined;

  constructor({ config }: RegistrySettings) {
    // A service with one store has no name for it.
    this.find = config.isMultiStore ? createStoreFinder(config) : () => undefined;
  }

  /**
   * The location with the name of its store. Those that were written before the service had several stores name none;
   * unlike Glance we leave their rows as they are.
   */
  named<L extends ImageLocation>(location: L): L {
    if (storeOf(location) !== undefined) return location;
    const store = this.find(location.url);
    return store === undefined ? location : { ...location, metadata: { ...location.metadata, store } };
  }
}
