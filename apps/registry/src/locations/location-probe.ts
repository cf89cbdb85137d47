import { RpcClient } from '@glimpse/bus';
import {
  type ErrorCode,
  type ProbedLocation,
  ServiceError,
  isServiceError,
  storeWorkerLocations,
} from '@glimpse/contracts';
import { Injectable } from '@nestjs/common';

/** What a worker found behind a URL, or why it is none for an image. */
export type ProbeOutcome = ProbedLocation | ServiceError;

/** These say something about the URL; all else is about our own services. */
const aboutTheUrl: ReadonlySet<ErrorCode> = new Set([
  'STORE_LOCATION_INVALID',
  'STORE_OBJECT_NOT_FOUND',
  'STORE_FORBIDDEN',
  'STORE_UNAVAILABLE',
  'STORE_OPERATION_UNSUPPORTED',
  'STORE_UNKNOWN',
]);

/** Asks a store-worker about URLs: the registry itself reaches no store. */
@Injectable()
export class LocationProbe {
  constructor(private readonly rpc: RpcClient) {}

  async probe(url: string): Promise<ProbeOutcome> {
    try {
      return await this.rpc.call(storeWorkerLocations.probe, { url });
    } catch (error) {
      if (!isServiceError(error)) throw error;
      if (!aboutTheUrl.has(error.code)) return error;
      return new ServiceError('STORE_LOCATION_INVALID', `Invalid location: ${error.message}`, {
        cause: error,
      });
    }
  }
}
