import { z } from 'zod';
import { flag, wholeNumber, words } from '../option-types.js';
import { tlsFiles } from './tls.js';

const word = () => z.string().min(1).optional();

/** Who is calling according to Keystone (`auth: keystone`). Named after the options of keystonemiddleware. */
export const keystone = z
  .strictObject({
    authUrl: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe(
        'Where Glimpse logs in, with or without `/v3`, e.g. `https://keystone.example.com/v3`; needed with auth `keystone`.',
      ),
    wwwAuthenticateUri: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Where clients get a token, as a 401 tells them; default: auth_url.'),
    interface: z
      .enum(['internal', 'public', 'admin'])
      .default('internal')
      .describe(
        "Which of Keystone's endpoints in the catalogue tokens are checked at; without one there it is auth_url.",
      ),
    regionName: word().describe(
      'Region of the endpoints in the catalogue; default: the first that it names.',
    ),
    username: word().describe("Name of Glimpse's own user, which needs the role `service` on its project."),
    userId: word().describe('Id of that user, in place of its name and domain.'),
    userDomainName: word().describe(
      'Domain of that user by name; default: the domain with the id `default`.',
    ),
    userDomainId: word().describe('Domain of that user by id.'),
    password: word().describe('Password of that user.'),
    projectName: word().describe('Project of that user by name.'),
    projectId: word().describe('Project of that user by id.'),
    projectDomainName: word().describe(
      'Domain of that project by name; default: the domain with the id `default`.',
    ),
    projectDomainId: word().describe('Domain of that project by id.'),
    systemScope: z
      .enum(['all'])
      .optional()
      .describe('`all` to log in to the system in place of a project; then the user needs a role there.'),
    applicationCredentialId: word().describe('Id of an application credential, in place of a password.'),
    applicationCredentialName: word().describe(
      'Name of an application credential of the user above, in place of its id.',
    ),
    applicationCredentialSecret: word().describe('Secret of the application credential.'),
    ...tlsFiles('Keystone'),
    insecure: flag()
      .default(false)
      .describe("Do not check Keystone's certificate. Who is on the way can be anybody."),
    cacheTtlMs: wholeNumber(0)
      .default(300_000)
      .describe(
        'How long a token that was checked is not checked again, within its lifetime, in milliseconds; 0: never. A revoked token works for as long.',
      ),
    cacheEntries: wholeNumber(1, 10_000_000)
      .default(10_000)
      .describe('Tokens that are remembered; the longest unused one makes room.'),
    refusedCacheTtlMs: wholeNumber(0)
      .default(10_000)
      .describe('How long a token that was refused is not checked again, in milliseconds.'),
    serviceTokenRoles: words()
      .default(['service'])
      .describe('Roles, one of which makes the caller of X-Service-Token a service.'),
    serviceTokenRolesRequired: flag()
      .default(true)
      .describe(
        'Take no notice of an X-Service-Token without such a role. Expired tokens of users are accepted only beside one that has it.',
      ),
    allowExpired: flag()
      .default(true)
      .describe(
        "Accept a user's expired token beside a service's, within the time that Keystone allows (its allow_expired_window).",
      ),
    serviceType: z
      .string()
      .min(1)
      .default('image')
      .describe('Type of this service in the catalogue: for access rules and for limits.'),
    httpConnectTimeoutMs: wholeNumber(10)
      .default(2_000)
      .describe('Wait for a connection to Keystone, in milliseconds.'),
    httpRequestMaxRetries: wholeNumber(0, 20)
      .default(3)
      .describe('Further attempts when Keystone can not be reached, with growing pauses.'),
    requestTimeoutMs: wholeNumber(50)
      .default(10_000)
      .describe('Wait for Keystone with all attempts together, in milliseconds; then the answer is 503.'),
    maxConnections: wholeNumber(1, 1000)
      .default(16)
      .describe('Requests that Keystone has to work on at once.'),
    maxWaiting: wholeNumber(0)
      .default(1_000)
      .describe('Further requests that wait for one of these; beyond it the answer is 503 at once.'),
    useLimits: flag()
      .default(false)
      .describe(
        "Take the limits of projects from Keystone's unified limits (Glance's use_keystone_limits). Needs a password, and the role `reader` on the system.",
      ),
    limitsCacheTtlMs: wholeNumber(0)
      .default(30_000)
      .describe('How long the limits of a project are not asked for again, in milliseconds.'),
  })
  .prefault({});

type KeystoneOptions = Readonly<Omit<z.output<typeof keystone>, 'serviceTokenRoles'>>;

function credentialProblems(options: KeystoneOptions): string[] {
  const hasUser = options.userId !== undefined || options.username !== undefined;
  if (options.applicationCredentialSecret !== undefined) {
    const isNamed = options.applicationCredentialName !== undefined && hasUser;
    return options.applicationCredentialId !== undefined || isNamed
      ? []
      : ['keystone.application_credential_id: must be set (or the name of the credential and its user)'];
  }
  const hasScope =
    options.projectId !== undefined || options.projectName !== undefined || options.systemScope !== undefined;
  return [
    ...(hasUser
      ? []
      : ['keystone.username: must be set with auth "keystone" (or an application credential)']),
    ...(options.password === undefined ? ['keystone.password: must be set with auth "keystone"'] : []),
    ...(hasScope ? [] : ['keystone.project_name: must be set with auth "keystone"']),
  ];
}

/** What is wrong with the options together, for the service that checks tokens; empty where they work. */
export function keystoneProblems(options: KeystoneOptions): string[] {
  return [
    ...(options.authUrl === undefined ? ['keystone.auth_url: must be set with auth "keystone"'] : []),
    ...credentialProblems(options),
    ...(options.useLimits && options.applicationCredentialSecret !== undefined
      ? ['keystone.use_limits: needs a password, an application credential can not log in to the system']
      : []),
  ];
}
