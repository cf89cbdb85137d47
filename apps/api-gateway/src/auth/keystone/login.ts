import type { Config } from '@glimpse/config';

type Options = Config['keystone'];

/** Keystone makes this one itself. */
const DEFAULT_DOMAIN = { id: 'default' };

function domainOf(id: string | undefined, name: string | undefined): object {
  if (id !== undefined) return { id };
  return name === undefined ? DEFAULT_DOMAIN : { name };
}

function userOf(options: Options): object {
  if (options.userId !== undefined) return { id: options.userId };
  return { name: options.username, domain: domainOf(options.userDomainId, options.userDomainName) };
}

function scopeOf(options: Options): object {
  if (options.systemScope !== undefined) return { system: { all: true } };
  if (options.projectId !== undefined) return { project: { id: options.projectId } };
  const domain = domainOf(options.projectDomainId, options.projectDomainName);
  return { project: { name: options.projectName, domain } };
}

/** How Glimpse logs in: `auth` in a request for a token. The options were checked by `keystoneProblems`. */
export function loginOf(options: Options): object {
  const { applicationCredentialId: id, applicationCredentialName: name } = options;
  const secret = options.applicationCredentialSecret;
  if (secret === undefined)
    return {
      identity: {
        methods: ['password'],
        password: { user: { ...userOf(options), password: options.password } },
      },
      scope: scopeOf(options),
    };
  const credential = id === undefined ? { name, user: userOf(options), secret } : { id, secret };
  // It has a project of its own: Keystone refuses a scope beside it.
  return { identity: { methods: ['application_credential'], application_credential: credential } };
}
