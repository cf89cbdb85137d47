import { Injectable } from '@nestjs/common';
import { RpcClient } from '@glimpse/bus';
import { registryVerification } from '@glimpse/contracts';
import { ImageCaching } from '../cache/image-caching.js';
import { GatewaySettings } from '../gateway-settings.js';

/** Has data verified that a download found to be lost, and the cache to be other data. */
@Injectable()
export class Suspicions {
  constructor(
    private readonly rpc: RpcClient,
    private readonly settings: GatewaySettings,
    caching: ImageCaching,
  ) {
    caching.whenMismatched((imageId) => this.report(imageId));
  }

  /** Nobody waits for it: without it the copies still have their turn. */
  report(imageId: string): void {
    this.rpc.call(registryVerification.suspect, { imageId }).catch((error: unknown) => {
      this.settings.logger.warn({ err: error, imageId }, 'lost data could not be reported');
    });
  }
}
