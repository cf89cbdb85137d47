import type { IncomingHttpHeaders } from 'node:http';
import type { ImportRequest } from '@glimpse/contracts';
import type { Authenticator } from '../auth/authenticator.js';

type Method = ImportRequest['method'];

/** Finds the image services of other regions in the catalogues of those who call. */
export class RemoteImageServices {
  constructor(private readonly authenticator: Pick<Authenticator, 'findImageService'>) {}

  /** The method with where it is to read, and with what token, where it reads from another image service. */
  async resolve(method: Method, headers: IncomingHttpHeaders): Promise<Method> {
    if (method.name !== 'glance-download' || method.region === null) return method;
    const place = { region: method.region, interface: method.serviceInterface };
    return { ...method, remote: (await this.authenticator.findImageService?.(headers, place)) ?? null };
  }
}
