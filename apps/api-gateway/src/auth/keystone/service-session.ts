import type { Config } from '@glimpse/config';
import type { Logger } from '@glimpse/observability';
import { identityUnavailable } from './identity-unavailable.js';
import type { KeystoneAnswer, KeystoneHttp } from './keystone-http.js';
import type { Operation } from './keystone-metrics.js';
import { loginOf } from './login.js';
import { type CatalogService, expiryOf, parseToken } from './token-document.js';
import { findVersion3 } from './version-discovery.js';

/** A token is renewed in the last tenth of its life, a minute at most. */
const RENEWAL_MS = 60_000;
/** Whoever was refused does not knock at once again: Keystone locks accounts that do. */
const REFUSED_PAUSE_MS = 5_000;

type Options = Config['keystone'];

/** What Glimpse has when it has logged in. */
interface Login {
  readonly token: string;
  readonly renewAt: number;
  readonly expiresAt: number;
  /** Where Keystone is asked, ends in `/v3` as a rule. */
  readonly identityUrl: string;
  readonly catalog: readonly CatalogService[];
}

/** The endpoint of a service that the options choose. */
export function findEndpoint(
  catalog: readonly CatalogService[],
  type: string,
  options: Pick<Options, 'interface' | 'regionName'>,
): { url: string; serviceId: string; regionId: string | undefined } | undefined {
  for (const service of catalog.filter((candidate) => candidate.type === type))
    for (const endpoint of service.endpoints) {
      const regionId = endpoint.region_id ?? endpoint.region ?? undefined;
      if (endpoint.interface !== options.interface) continue;
      if (options.regionName !== undefined && options.regionName !== regionId) continue;
      return { url: endpoint.url, serviceId: service.id, regionId };
    }
  return undefined;
}

/** Glimpse's own account at Keystone: one token for all requests, renewed in time and when Keystone does not know it. */
export class ServiceSession {
  private current: Login | undefined;
  private renewal: Promise<Login> | undefined;
  private refusedUntil = 0;

  constructor(
    private readonly http: Pick<KeystoneHttp, 'send'>,
    private readonly options: Options,
    private readonly logger: Logger,
    private readonly now: () => number = Date.now,
  ) {}

  /** The services and endpoints of the cloud. */
  async catalog(): Promise<readonly CatalogService[]> {
    return (await this.login()).catalog;
  }

  /** Asks Keystone with the own token. Rejects with `IDENTITY_UNAVAILABLE` when it refuses that. */
  async get(
    operation: Operation,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<KeystoneAnswer> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const login = await this.login();
      const answer = await this.http.send(operation, {
        method: 'GET',
        url: `${login.identityUrl}${path}`,
        headers: { ...headers, 'x-auth-token': login.token },
      });
      if (answer.status !== 401) return this.allowed(answer);
      // Revoked, or signed with a key that is gone.
      if (this.current === login) this.current = undefined;
    }
    throw identityUnavailable(new Error('Keystone refuses the token that it has just given to Glimpse'));
  }

  /** Logs in where that is not done yet, or has to be again. */
  async login(): Promise<Login> {
    const { current } = this;
    if (current !== undefined && this.now() < current.renewAt) return current;
    this.renewal ??= this.renew().finally(() => {
      this.renewal = undefined;
    });
    try {
      return await this.renewal;
    } catch (error) {
      if (current !== undefined && this.now() < current.expiresAt) return current;
      throw error;
    }
  }

  private allowed(answer: KeystoneAnswer): KeystoneAnswer {
    if (answer.status !== 403) return answer;
    this.logger.error(
      'Keystone does not let Glimpse ask about others: its user needs the role service on its project, and reader on the system for limits',
    );
    throw identityUnavailable(new Error('Keystone answered 403'));
  }

  private async renew(): Promise<Login> {
    if (this.now() < this.refusedUntil)
      throw identityUnavailable(new Error("Keystone refused Glimpse's own credentials a moment ago"));
    const url = await findVersion3(this.http, this.options.authUrl ?? '');
    const answer = await this.http.send('login', {
      method: 'POST',
      url: `${url}/auth/tokens`,
      body: { auth: loginOf(this.options) },
    });
    const token = answer.headers['x-subject-token'];
    if (answer.status !== 201 || typeof token !== 'string') throw this.refused(answer.status);
    const document = parseToken(answer.body);
    const endpoint = findEndpoint(document.catalog, 'identity', this.options);
    const expiresAt = expiryOf(document);
    this.current = {
      token,
      expiresAt,
      renewAt: expiresAt - Math.min(RENEWAL_MS, (expiresAt - this.now()) / 10),
      identityUrl: endpoint === undefined ? url : await findVersion3(this.http, endpoint.url),
      catalog: document.catalog,
    };
    return this.current;
  }

  private refused(status: number): Error {
    this.refusedUntil = this.now() + REFUSED_PAUSE_MS;
    this.logger.error(
      { status },
      "Keystone refuses Glimpse's own credentials: nobody whose token was not checked lately gets in (see keystone.* in the configuration)",
    );
    return identityUnavailable(new Error(`Keystone answered a login with ${status}`));
  }
}
