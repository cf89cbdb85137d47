import { type RemoteService, type ServicePlace, baseOfEndpoint } from '../remote-service.js';
import { type ServiceSession, findEndpoint } from './service-session.js';
import { parseToken } from './token-document.js';

/** What users reach in the cloud, by their own catalogues. */
export class UserCatalogs {
  constructor(private readonly session: Pick<ServiceSession, 'get'>) {}

  /** Undefined where the catalogue of the token's project has none there, or the token is no good. */
  async findImageService(token: string, place: ServicePlace): Promise<RemoteService | undefined> {
    const { status, body } = await this.session.get('catalog', '/auth/tokens', { 'x-subject-token': token });
    if (status !== 200) return undefined;
    const { catalog } = parseToken(body);
    const endpoint = findEndpoint(catalog, 'image', { interface: place.interface, regionName: place.region });
    return endpoint === undefined ? undefined : { url: baseOfEndpoint(endpoint.url), token };
  }
}
