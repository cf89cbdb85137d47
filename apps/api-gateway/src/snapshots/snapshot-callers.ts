import { randomUUID } from 'node:crypto';
import type { Config } from '@glimpse/config';
import { type Caller, ServiceError } from '@glimpse/contracts';
import type { Authenticator, Identity, RequestLine } from '../auth/authenticator.js';
import { IdentityRefused } from '../auth/identity-refused.js';
import type { SnapshotMessage, StatedIdentity } from './snapshot-message.js';

/** Who asks for a snapshot. */
export interface SnapshotCaller {
  readonly ctx: Caller;
  /** Whether what the message says is said by somebody who may say anything: the compute service itself. */
  readonly isTrusted: boolean;
}

type Options = Pick<Config, 'auth' | 'authNone'> & {
  readonly snapshots: Pick<Config['snapshots'], 'trustedPublishers' | 'defaultRoles'>;
};

/** What a token can be; anything else is none, and no header either. */
const TOKEN = /^[!-~]+$/;

/** The requests of the API that these are like: rules of access and limits of projects are bound to them. */
const lines: Readonly<Record<SnapshotMessage['wish']['action'], RequestLine>> = {
  create: { method: 'POST', url: '/v2/images', originalUrl: '/v2/images' },
  cancel: { method: 'DELETE', url: '/v2/images', originalUrl: '/v2/images' },
  show: { method: 'GET', url: '/v2/images', originalUrl: '/v2/images' },
};

const refused = (message: string) => new ServiceError('IDENTITY_REFUSED', message);

/** Establishes who asks: whom a trusted publisher names, or whom a token stands for. */
export class SnapshotCallers {
  constructor(
    private readonly authenticator: Authenticator,
    private readonly options: Options,
  ) {}

  /**
   * Rejects with IDENTITY_REFUSED, ACTION_FORBIDDEN (another project than the token's) or REQUEST_INVALID (no project), and
   * with a retryable error when it can't be known now.
   */
  async identify(message: SnapshotMessage, publisher: string | null): Promise<SnapshotCaller> {
    const isTrusted = this.trusts(publisher);
    // Without authentication a token says nothing.
    const identity =
      message.token !== undefined && this.options.auth !== 'none'
        ? await this.ofToken(message.token, message)
        : isTrusted
          ? await this.ofStated(message.stated)
          : await this.ofToken(message.contextToken, message);
    return { ctx: { ...identity, requestId: `req-${randomUUID()}` }, isTrusted };
  }

  /** Whether the word of that publisher is taken. With `auth: none` everybody is admin anyway. */
  trusts(publisher: string | null): boolean {
    const { trustedPublishers } = this.options.snapshots;
    if (this.options.auth === 'none' || trustedPublishers.includes('*')) return true;
    return publisher !== null && trustedPublishers.includes(publisher);
  }

  private async ofStated({ projectId, userId, roles }: StatedIdentity): Promise<Identity> {
    const { auth, authNone, snapshots } = this.options;
    const isOpen = auth === 'none';
    const project = projectId ?? (isOpen ? authNone.projectId : undefined);
    if (project === undefined)
      throw new ServiceError('REQUEST_INVALID', 'project_id: the message does not say whose the snapshot is');
    const limits = await this.authenticator.limitsOf?.(project);
    return {
      userId: userId ?? (isOpen ? authNone.userId : null),
      projectId: project,
      domainId: null,
      systemScope: null,
      roles: (roles ?? (isOpen ? ['admin', 'member', 'reader'] : snapshots.defaultRoles)).map((role) =>
        role.toLowerCase(),
      ),
      serviceRoles: [],
      ...(limits === undefined ? {} : { limits }),
    };
  }

  private async ofToken(token: string | undefined, { stated, wish }: SnapshotMessage): Promise<Identity> {
    if (token === undefined)
      throw refused('The message has no token, and its publisher is none of snapshots.trusted_publishers');
    const { projectId } = stated;
    const headers = {
      'x-auth-token': token,
      ...(projectId === undefined || !TOKEN.test(projectId) ? {} : { 'x-project-id': projectId }),
    };
    const identity = TOKEN.test(token) ? await this.authenticate(headers, lines[wish.action]) : null;
    if (identity === null) throw refused('The token of the message is not valid');
    if (projectId !== undefined && projectId !== identity.projectId)
      throw new ServiceError('ACTION_FORBIDDEN', 'The token is not one for the project of project_id');
    return identity;
  }

  private async authenticate(
    headers: Readonly<Record<string, string>>,
    line: RequestLine,
  ): Promise<Identity | null> {
    try {
      return await this.authenticator.authenticate(headers, line);
    } catch (error) {
      if (error instanceof IdentityRefused) throw refused(error.message);
      throw error;
    }
  }
}
