import { randomUUID } from 'node:crypto';
import {
  type Credentials,
  KeystoneRest,
  type Scope,
  withApplicationCredential,
  withPassword,
} from './keystone-rest.js';

const HOW_TO_START =
  'start one with `npm run services -- keystone` and put it into the environment with `eval "$(npm run -s services -- env)"`, or run the tests by `npm test`';

/** Something of Keystone's. */
export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface KeystoneUser extends Named {
  readonly password: string;
}

export interface ApplicationCredential extends Named {
  readonly secret: string;
}

type Assignable = { readonly project: Named } | { readonly domain: string } | { readonly system: 'all' };

const freshName = (what: string) => `test-${what}-${randomUUID().slice(0, 8)}`;

/**
 * A real Keystone as its admin sees it. Tests make their own projects and users in it, with names that nobody else has,
 * so that several runs can share one.
 */
export class Keystone {
  readonly rest: KeystoneRest;
  private readonly roleIds = new Map<string, string>();
  private adminToken: Promise<string> | undefined;

  /** `adminUrl` is `http://<user>:<password>@<host>:<port>/v3`, of an admin of the project `admin`. */
  constructor(private readonly adminUrl: string) {
    const { origin, pathname } = new URL(adminUrl);
    this.rest = new KeystoneRest(`${origin}${pathname.replace(/\/$/, '')}`);
  }

  /** The Keystone that `GLIMPSE_TEST_KEYSTONE_URL` names. Throws, saying what to start, where there is none. */
  static fromEnvironment(): Keystone {
    const url = process.env['GLIMPSE_TEST_KEYSTONE_URL'];
    if (url === undefined || url === '')
      throw new Error(`GLIMPSE_TEST_KEYSTONE_URL is not set: ${HOW_TO_START}`);
    return new Keystone(url);
  }

  get url(): string {
    return this.rest.url;
  }

  createProject(name = freshName('project'), more: object = {}): Promise<Named> {
    return this.create<Named>('project', { name, domain_id: 'default', ...more });
  }

  /** A user with a password, and `roles` on a project, a domain or the system. */
  async createUser(
    grants: readonly { readonly roles: readonly string[]; readonly on: Assignable }[] = [],
    name = freshName('user'),
    password: string = randomUUID(),
  ): Promise<KeystoneUser> {
    const user = await this.create<Named>('user', { name, password, domain_id: 'default' });
    for (const { roles, on } of grants) for (const role of roles) await this.grant(user, role, on);
    return { ...user, password };
  }

  /** Gives a role, which is made where Keystone does not have it. */
  async grant(user: Named, role: string, on: Assignable): Promise<void> {
    const target =
      'project' in on ? `projects/${on.project.id}` : 'domain' in on ? `domains/${on.domain}` : 'system';
    await this.admin('PUT', `/${target}/users/${user.id}/roles/${await this.roleId(role)}`);
  }

  token(user: KeystoneUser, scope: Scope): Promise<string> {
    return this.rest.issueToken(withPassword({ id: user.id, password: user.password }), scope);
  }

  /** A token for one project. */
  projectToken(user: KeystoneUser, project: Named): Promise<string> {
    return this.token(user, { project: { id: project.id } });
  }

  /** Revokes a token; a service may know it from its cache for a while. */
  async revoke(token: string): Promise<void> {
    await this.admin('DELETE', '/auth/tokens', undefined, { 'x-subject-token': token });
  }

  /** An application credential of `user` for one project; tokens of it end with `expiresAt`. */
  async createApplicationCredential(
    user: KeystoneUser,
    project: Named,
    more: { readonly expires_at?: string; readonly access_rules?: readonly object[] } = {},
  ): Promise<ApplicationCredential> {
    const token = await this.projectToken(user, project);
    const { body } = await this.rest.send('POST', `/users/${user.id}/application_credentials`, {
      token,
      body: { application_credential: { name: freshName('credential'), ...more } },
    });
    return (body as { application_credential: ApplicationCredential }).application_credential;
  }

  applicationCredentialToken({ id, secret }: ApplicationCredential): Promise<string> {
    return this.rest.issueToken(withApplicationCredential({ id, secret }));
  }

  /** Lets `trustee` act in `project` with some of the roles that `trustor` has there; resolves with the trust's id. */
  async createTrust(
    trustor: KeystoneUser,
    trustee: Named,
    project: Named,
    roles: readonly string[],
  ): Promise<string> {
    const { body } = await this.rest.send('POST', '/OS-TRUST/trusts', {
      token: await this.projectToken(trustor, project),
      body: {
        trust: {
          trustor_user_id: trustor.id,
          trustee_user_id: trustee.id,
          project_id: project.id,
          impersonation: false,
          roles: roles.map((name) => ({ name })),
        },
      },
    });
    return (body as { trust: { id: string } }).trust.id;
  }

  /**
   * A user for Glimpse itself, and the options of a Glimpse that checks tokens here: with the role `service` on a project
   * and `reader` on the system, as docs/identity.md says. `env` is more of the configuration.
   */
  async glimpseOptions(env: Readonly<Record<string, string>> = {}): Promise<{
    auth: 'keystone';
    env: Readonly<Record<string, string>>;
  }> {
    const project = await this.createProject();
    const user = await this.createUser([
      { roles: ['service'], on: { project } },
      { roles: ['reader'], on: { system: 'all' } },
    ]);
    return {
      auth: 'keystone',
      env: {
        GLIMPSE_KEYSTONE_AUTH_URL: this.url,
        GLIMPSE_KEYSTONE_USERNAME: user.name,
        GLIMPSE_KEYSTONE_PASSWORD: user.password,
        GLIMPSE_KEYSTONE_PROJECT_NAME: project.name,
        ...env,
      },
    };
  }

  /** Whether Keystone still calls a token valid. */
  async isValid(token: string): Promise<boolean> {
    const headers = { 'x-subject-token': token };
    return this.admin('HEAD', '/auth/tokens', undefined, headers).then(
      () => true,
      () => false,
    );
  }

  /** A region whose identity endpoint is `identityUrl`: for a Keystone that is reached through something else. */
  async createRegion(identityUrl: string): Promise<string> {
    const region = freshName('region');
    await this.admin('POST', '/regions', { region: { id: region } });
    await this.createEndpoint('identity', region, identityUrl);
    return region;
  }

  /** An endpoint of a service, which is made where the catalogue does not have it; resolves with the service's id. */
  async createEndpoint(type: string, region: string, url: string): Promise<string> {
    const service =
      (await this.find('service', `type=${type}`)) ??
      (await this.create<Named>('service', { type, name: type }));
    for (const kind of ['public', 'internal', 'admin'])
      await this.create('endpoint', { service_id: service.id, region_id: region, interface: kind, url });
    return service.id;
  }

  /** What every project may have of a resource of a service, unless {@link setLimit} says otherwise. */
  async registerLimit(serviceId: string, region: string, resource: string, limit: number): Promise<void> {
    const registered = {
      service_id: serviceId,
      region_id: region,
      resource_name: resource,
      default_limit: limit,
    };
    await this.admin('POST', '/registered_limits', { registered_limits: [registered] });
  }

  async setLimit(
    serviceId: string,
    region: string,
    project: Named,
    resource: string,
    limit: number,
  ): Promise<void> {
    const own = {
      service_id: serviceId,
      region_id: region,
      project_id: project.id,
      resource_name: resource,
      resource_limit: limit,
    };
    await this.admin('POST', '/limits', { limits: [own] });
  }

  /** The object of this kind that matches a query, e.g. `find('role', 'name=member')`. */
  async find(kind: string, query: string): Promise<Named | undefined> {
    const body = await this.admin('GET', `/${kind}s?${query}`);
    return (body as Record<string, Named[]>)[`${kind}s`]?.[0];
  }

  /** Any request with the admin's token; resolves with the body of the answer. */
  async admin(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<unknown> {
    this.adminToken ??= this.rest.issueToken(this.adminCredentials, {
      project: { name: 'admin', domain: { id: 'default' } },
    });
    const token = await this.adminToken;
    const answer = await this.rest.send(method, path, {
      token,
      headers,
      ...(body === undefined ? {} : { body }),
    });
    return answer.body;
  }

  /** Who manages this Keystone, in the domain `default`. */
  get adminAccount(): { username: string; password: string } {
    const { username, password } = new URL(this.adminUrl);
    return { username: decodeURIComponent(username), password: decodeURIComponent(password) };
  }

  private get adminCredentials(): Credentials {
    const { username: name, password } = this.adminAccount;
    return { methods: ['password'], password: { user: { name, password, domain: { id: 'default' } } } };
  }

  private async create<T extends Named>(kind: string, attributes: object): Promise<T> {
    const body = await this.admin('POST', `/${kind}s`, { [kind]: attributes });
    return (body as Record<string, T>)[kind]!;
  }

  private async roleId(name: string): Promise<string> {
    const known = this.roleIds.get(name);
    if (known !== undefined) return known;
    const role = (await this.find('role', `name=${name}`)) ?? (await this.create<Named>('role', { name }));
    this.roleIds.set(name, role.id);
    return role.id;
  }
}
