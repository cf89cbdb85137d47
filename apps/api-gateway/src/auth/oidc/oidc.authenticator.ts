import type { IncomingHttpHeaders } from 'node:http';
import type { Config } from '@glimpse/config';
import { ServiceError } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import type { Authenticator, Identity } from '../authenticator.js';
import { IdentityRefused } from '../identity-refused.js';
import { IssuerHttp } from './issuer-http.js';
import { IssuerKeys } from './issuer-keys.js';
import type { TokenHolder } from './token-holder.js';
import { TokenVerifier } from './token-verifier.js';

const one = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' && header.trim() !== '' ? header.trim() : undefined;

/** The token of a request: of `Authorization: Bearer`, or where OpenStack's clients put theirs. */
function findToken(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+)\s*$/i.exec(headers.authorization ?? '')?.[1];
  return bearer ?? one(headers['x-auth-token']) ?? one(headers['x-storage-token']);
}

function chooseProject({ projects }: TokenHolder, wanted: string | undefined): string | null {
  if (wanted === undefined) return projects[0] ?? null;
  if (projects.includes(wanted)) return wanted;
  throw new ServiceError('ACTION_FORBIDDEN', 'The token gives no access to the project of X-Project-Id.');
}

/** Trusts the tokens that an OpenID Connect issuer signed for this service. */
export class OidcAuthenticator implements Authenticator {
  constructor(
    private readonly verifier: Pick<TokenVerifier, 'verify'>,
    private readonly projectRequired: boolean,
    private readonly http: Pick<IssuerHttp, 'close'>,
  ) {}

  static create(config: Pick<Config, 'oidc'>, logger: Logger): OidcAuthenticator {
    const { oidc } = config;
    const { issuer } = oidc;
    if (issuer === undefined) throw new Error('oidc.issuer is not set');
    const http = new IssuerHttp(oidc);
    const keys = new IssuerKeys(
      http,
      {
        issuer,
        jwksUri: oidc.jwksUri,
        maxAgeSeconds: oidc.keysMaxAgeSeconds,
        cooldownSeconds: oidc.keysCooldownSeconds,
      },
      logger,
    );
    const verifier = new TokenVerifier({ ...oidc, issuer }, keys.find);
    return new OidcAuthenticator(verifier, oidc.projectRequired, http);
  }

  async authenticate(headers: IncomingHttpHeaders): Promise<Identity | null> {
    const token = findToken(headers);
    if (token === undefined) return null;
    const holder = await this.verifier.verify(token);
    const projectId = chooseProject(holder, one(headers['x-project-id']));
    if (projectId === null && this.projectRequired) throw new IdentityRefused('The token names no project');
    return {
      userId: holder.userId,
      projectId,
      domainId: null,
      systemScope: null,
      roles: [...holder.roles],
      ...(holder.userName === undefined ? {} : { userName: holder.userName }),
      ...(holder.domainId === undefined
        ? {}
        : { userDomainId: holder.domainId, projectDomainId: holder.domainId }),
      ...(await this.serviceOf(one(headers['x-service-token']))),
    };
  }

  /** RFC 6750: a request without a token is told only what is wanted. */
  challenge(_baseUrl: string, refusal?: IdentityRefused): string {
    const scheme = 'Bearer realm="glimpse"';
    if (refusal === undefined) return scheme;
    const description = refusal.message.replace(/[^\x20-\x7e]|["\\]/g, '');
    return `${scheme}, error="invalid_token", error_description="${description}"`;
  }

  close(): Promise<void> {
    return this.http.close();
  }

  /** The service that calls on behalf of the user. As in OpenStack, a token of it that is not valid only counts for nothing. */
  private async serviceOf(
    token: string | undefined,
  ): Promise<Pick<Identity, 'serviceRoles' | 'serviceUserId' | 'serviceProjectId'>> {
    if (token === undefined) return { serviceRoles: [] };
    try {
      const { userId, projects, roles } = await this.verifier.verify(token);
      const [project] = projects;
      return {
        serviceRoles: [...roles],
        serviceUserId: userId,
        ...(project === undefined ? {} : { serviceProjectId: project }),
      };
    } catch (error) {
      if (error instanceof IdentityRefused) return { serviceRoles: [] };
      throw error;
    }
  }
}
