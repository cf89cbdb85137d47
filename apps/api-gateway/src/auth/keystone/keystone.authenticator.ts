import type { IncomingHttpHeaders } from 'node:http';
import { type Config, ConfigError, keystoneProblems } from '@glimpse/config';
import type { ProjectLimits } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import type { Authenticator, Identity, RequestLine } from '../authenticator.js';
import { keystoneChallenge } from '../keystone-challenge.js';
import type { RemoteService, ServicePlace } from '../remote-service.js';
import { isAllowedByRules } from './access-rules.js';
import { CheckedTokens } from './checked-tokens.js';
import { KeystoneHttp } from './keystone-http.js';
import { ProjectLimitsReader, needsLimits } from './project-limits.js';
import { ServiceSession } from './service-session.js';
import type { CheckedToken } from './token-document.js';
import { TokenValidator } from './token-validator.js';
import { UserCatalogs } from './user-catalogs.js';

type Options = Config['keystone'];

function one(headers: IncomingHttpHeaders, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = headers[name];
    if (typeof value === 'string' && value.trim() !== '') return value.trim();
  }
  return undefined;
}

/** What the identity of the caller gets from the token of the service that calls on behalf of it. */
function serviceFields({ identity, roleNames }: CheckedToken): Partial<Identity> {
  return {
    serviceRoles: [...roleNames],
    ...(identity.userId === null ? {} : { serviceUserId: identity.userId }),
    ...(identity.userDomainId === undefined ? {} : { serviceUserDomainId: identity.userDomainId }),
    ...(identity.projectId === null ? {} : { serviceProjectId: identity.projectId }),
    ...(identity.projectDomainId === undefined ? {} : { serviceProjectDomainId: identity.projectDomainId }),
  };
}

/** Asks Keystone who is calling, as keystonemiddleware does. Identity headers that a client sends are never looked at. */
export class KeystoneAuthenticator implements Authenticator {
  constructor(
    private readonly tokens: Pick<CheckedTokens, 'find'>,
    /** Undefined where the limits of projects are not Keystone's. */
    private readonly limits: Pick<ProjectLimitsReader, 'of'> | undefined,
    private readonly options: Options,
    private readonly http: Pick<KeystoneHttp, 'close'>,
    private readonly catalogs: Pick<UserCatalogs, 'findImageService'>,
  ) {}

  /** Throws a `ConfigError` for options that can't work. Logs in at once, so that what is wrong there is in the log. */
  static create({ keystone }: Pick<Config, 'keystone'>, logger: Logger): KeystoneAuthenticator {
    const problems = keystoneProblems(keystone);
    if (problems.length > 0)
      throw new ConfigError(`The configuration has errors:\n  ${problems.join('\n  ')}`);
    const http = new KeystoneHttp(keystone, logger);
    const session = new ServiceSession(http, keystone, logger);
    session.login().catch((error: unknown) => {
      logger.warn({ err: error }, 'Glimpse could not log in to Keystone yet');
    });
    const system = { ...keystone, systemScope: 'all' as const };
    const limits = keystone.useLimits
      ? new ProjectLimitsReader(new ServiceSession(http, system, logger), keystone, logger)
      : undefined;
    const tokens = new CheckedTokens(new TokenValidator(session), keystone);
    return new KeystoneAuthenticator(tokens, limits, keystone, http, new UserCatalogs(session));
  }

  async authenticate(headers: IncomingHttpHeaders, request: RequestLine): Promise<Identity | null> {
    const token = one(headers, 'x-auth-token', 'x-storage-token');
    if (token === undefined) return null;
    const service = await this.serviceOf(one(headers, 'x-service-token'));
    const allowExpired = this.options.allowExpired && service !== null && this.isService(service);
    const caller = await this.tokens.find(token, { allowExpired });
    if (caller === null || !this.mayMake(request, caller, service)) return null;
    const { identity } = caller;
    if (service === null && this.limits === undefined) return identity;
    return {
      ...identity,
      ...(service === null ? {} : serviceFields(service)),
      ...(await this.limitsFor(identity, request)),
    };
  }

  challenge(): string {
    return keystoneChallenge(this.options.wwwAuthenticateUri ?? this.options.authUrl ?? '');
  }

  async findImageService(
    headers: IncomingHttpHeaders,
    place: ServicePlace,
  ): Promise<RemoteService | undefined> {
    const token = one(headers, 'x-auth-token', 'x-storage-token');
    return token === undefined ? undefined : this.catalogs.findImageService(token, place);
  }

  async limitsOf(projectId: string): Promise<ProjectLimits | undefined> {
    return this.limits?.of(projectId);
  }

  close(): Promise<void> {
    return this.http.close();
  }

  /** The service that calls; null without a token of one. A token that is not a service's is as good as none. */
  private async serviceOf(token: string | undefined): Promise<CheckedToken | null> {
    if (token === undefined) return null;
    const service = await this.tokens.find(token, { allowExpired: false });
    if (service === null) return null;
    return this.isService(service) || !this.options.serviceTokenRolesRequired ? service : null;
  }

  private isService({ roleNames }: CheckedToken): boolean {
    return roleNames.some((role) => this.options.serviceTokenRoles.includes(role));
  }

  /** Access rules bind the user, not a service in whose work the user's token is passed on. */
  private mayMake(
    request: RequestLine,
    { accessRules }: CheckedToken,
    service: CheckedToken | null,
  ): boolean {
    if (accessRules === undefined || (service !== null && this.isService(service))) return true;
    return isAllowedByRules(accessRules, this.options.serviceType, request);
  }

  private async limitsFor({ projectId }: Identity, request: RequestLine): Promise<Pick<Identity, 'limits'>> {
    if (this.limits === undefined || projectId === null || !needsLimits(request)) return {};
    return { limits: await this.limits.of(projectId) };
  }
}
