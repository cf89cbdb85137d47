import { Injectable } from '@nestjs/common';
import { GatewaySettings } from '../gateway-settings.js';

/** The ways of importing data that this service offers, beside uploading it. */
@Injectable()
export class ImportMethods {
  /** By Glance's names, in the order in which they are shown. */
  readonly names: readonly string[];

  constructor(settings: GatewaySettings) {
    this.names = settings.config.import.methods;
  }
}
