/** Where the database is, as `databaseUrl` names it. */
export type DatabaseAddress =
  | { readonly dialect: 'sqlite'; readonly path: string }
  | {
      readonly dialect: 'mysql';
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password: string;
      readonly database: string;
    };

const MYSQL_PORT = 3306;

/** Parses `mysql://user:password@host:port/database` or `sqlite:<path>`; throws an `Error` without the password. */
export function parseDatabaseUrl(url: string): DatabaseAddress {
  if (url.startsWith('sqlite:')) {
    const path = url.slice('sqlite:'.length);
    // Readers and the writer have a connection each, and each connection to :memory: is a database of its own.
    if (path === '' || path === ':memory:') throw new Error('databaseUrl: sqlite: needs the path of a file');
    return { dialect: 'sqlite', path };
  }
  if (!url.startsWith('mysql://') || !URL.canParse(url))
    throw new Error('databaseUrl: must be sqlite:<path> or mysql://user:password@host:port/database');
  const parsed = new URL(url);
  const database = decodeURIComponent(parsed.pathname.slice(1));
  if (database === '' || database.includes('/'))
    throw new Error('databaseUrl: must name one database, as in mysql://user:password@host:port/database');
  return {
    dialect: 'mysql',
    host: parsed.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? MYSQL_PORT : Number(parsed.port),
    user: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    database,
  };
}
