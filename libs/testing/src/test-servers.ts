import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { managementRequest } from './management-request.js';
import { newPlaceName } from './place-names.js';

/** The servers that tests run against; each test makes its own virtual host and database in them. */
export interface TestServers {
  readonly busUrl: string;
  /** RabbitMQ's management API, with credentials. */
  readonly managementUrl: string;
  readonly databaseUrl: string;
}

/** Where RabbitMQ and MySQL are reached by TLS, and the certificates for that. */
export interface TlsServers {
  /** By TLS, with a name that its certificate has. */
  readonly busUrl: string;
  /** A name and the port that the database's certificate has. */
  readonly databaseUrl: string;
  readonly caFile: string;
  readonly clientCertFile: string;
  readonly clientKeyFile: string;
}

const HOW_TO_START =
  'start the servers with `npm run services` and put them into the environment with `eval "$(npm run -s services -- env)"`, or run the tests by `npm test`';

type Variables = Readonly<Record<string, string | undefined>>;

function fromEnvironment(name: string, variables: Variables = process.env): string {
  const url = variables[name];
  if (url === undefined || url === '') throw new Error(`${name} is not set: ${HOW_TO_START}`);
  return url;
}

/** RabbitMQ serves its management API on this port unless told otherwise. */
const MANAGEMENT_PORT = '15672';

function managementOf(busUrl: string): string {
  const { hostname, username, password } = new URL(busUrl);
  return `http://${username || 'guest'}:${password || 'guest'}@${hostname}:${MANAGEMENT_PORT}`;
}

/** What `GLIMPSE_TEST_BUS_URL`, `…_BUS_MANAGEMENT_URL` and `…_DATABASE_URL` name. Throws, saying what to start. */
export function getTestServers(variables: Variables = process.env): TestServers {
  const busUrl = fromEnvironment('GLIMPSE_TEST_BUS_URL', variables);
  return {
    busUrl,
    managementUrl: variables['GLIMPSE_TEST_BUS_MANAGEMENT_URL'] ?? managementOf(busUrl),
    databaseUrl: fromEnvironment('GLIMPSE_TEST_DATABASE_URL', variables),
  };
}

/** What `GLIMPSE_TEST_BUS_TLS_URL` and `GLIMPSE_TEST_TLS_DIR` name. Throws, saying what to start. */
export function getTlsServers(): TlsServers {
  const dir = fromEnvironment('GLIMPSE_TEST_TLS_DIR');
  const databaseUrl = new URL(getTestServers().databaseUrl);
  databaseUrl.hostname = 'localhost';
  return {
    busUrl: fromEnvironment('GLIMPSE_TEST_BUS_TLS_URL'),
    databaseUrl: databaseUrl.href,
    caFile: join(dir, 'ca.pem'),
    clientCertFile: join(dir, 'client.pem'),
    clientKeyFile: join(dir, 'client.key'),
  };
}

/** Something of a server that one test has for itself. */
export interface OwnPlace {
  readonly url: string;
  remove(): Promise<void>;
}

/** Another word than the name, so that it can be looked for where it must not be. */
const newPassword = () => `password${randomUUID().replaceAll('-', '')}`;

const manage = (method: string, path: string, body?: object): Promise<Response> =>
  managementRequest(getTestServers().managementUrl, method, path, body);

/**
 * Makes a virtual host of its own; `url` is the bus URL in it. Its user is its own too, since RabbitMQ knows a user's
 * connections at once, and those of a virtual host only seconds later, if at all (4.3).
 */
export async function createVirtualHost(): Promise<OwnPlace> {
  const url = new URL(getTestServers().busUrl);
  const name = newPlaceName();
  await manage('PUT', `vhosts/${name}`, {});
  const password = newPassword();
  await manage('PUT', `users/${name}`, { password, tags: '' });
  await manage('PUT', `permissions/${name}/${name}`, { configure: '.*', write: '.*', read: '.*' });
  url.username = name;
  url.password = password;
  url.pathname = `/${name}`;
  return {
    url: url.href,
    remove: async () => {
      await manage('DELETE', `vhosts/${name}`);
      await manage('DELETE', `users/${name}`);
    },
  };
}

/** As `glimpse-manage bus permissions` shows them. */
export interface UserRights {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
  readonly topics?: readonly { readonly exchange: string; readonly write: string; readonly read: string }[];
}

/** Makes a user with these rights in the virtual host of `busUrl`; `url` is the bus URL of that user. */
export async function createUser(
  busUrl: string,
  { topics = [], ...permissions }: UserRights,
): Promise<OwnPlace> {
  const url = new URL(busUrl);
  const name = newPlaceName();
  const password = newPassword();
  await manage('PUT', `users/${name}`, { password, tags: '' });
  await manage('PUT', `permissions${url.pathname}/${name}`, permissions);
  for (const topic of topics) await manage('PUT', `topic-permissions${url.pathname}/${name}`, topic);
  url.username = name;
  url.password = password;
  return { url: url.href, remove: async () => void (await manage('DELETE', `users/${name}`)) };
}

/** Ends every connection to the virtual host that `busUrl` is the URL of, as a restart of the broker would. */
export async function cutConnections(busUrl: string): Promise<number> {
  const path = `connections/username/${new URL(busUrl).username}`;
  const connections = (await (await manage('GET', path)).json()) as unknown[];
  await manage('DELETE', path);
  return connections.length;
}

/** Whose certificates the connections of that URL's user have shown. */
export async function peerOfConnections(busUrl: string): Promise<string[]> {
  const connections = (await (await manage('GET', 'connections')).json()) as {
    user: string;
    peer_cert_subject?: string;
  }[];
  return connections
    .filter(({ user }) => user === new URL(busUrl).username)
    .map((connection) => connection.peer_cert_subject ?? '');
}

async function executeSql(statement: string): Promise<void> {
  const connection = await createConnection({ uri: getTestServers().databaseUrl });
  try {
    await connection.query(statement);
  } finally {
    await connection.end();
  }
}

/** Makes an empty MySQL database of its own; `url` is the database URL of it. */
export async function createDatabase(): Promise<OwnPlace> {
  const url = new URL(getTestServers().databaseUrl);
  const name = newPlaceName();
  await executeSql(`CREATE DATABASE ${name}`);
  url.pathname = `/${name}`;
  return { url: url.href, remove: () => executeSql(`DROP DATABASE ${name}`) };
}
