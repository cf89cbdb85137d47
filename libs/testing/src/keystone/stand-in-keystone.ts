import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  createServer,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

const YEAR_MS = 31_536_000_000;

/** A token as Keystone describes it. */
export type TokenDocument = Readonly<Record<string, unknown>>;

const inDefault = { domain: { id: 'default', name: 'Default' } };

/** A token of a user with these roles in project `p`, for a year; `more` replaces parts of it. */
export const aTokenDocument = (
  roles: readonly string[] = ['member', 'reader'],
  more: object = {},
): TokenDocument => ({
  methods: ['password'],
  user: { id: 'u', name: 'ursula', ...inDefault },
  project: { id: 'p', name: 'prima', ...inDefault },
  roles: roles.map((name) => ({ id: `id-of-${name}`, name })),
  expires_at: new Date(Date.now() + YEAR_MS).toISOString(),
  ...more,
});

/** A request that it got. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/**
 * As much of Keystone as a service asks of it, to be slow, wrong or gone when a test wants it to, and to measure
 * without the cost of the real one. What Keystone really answers is proved by the tests with the real one.
 */
export class StandInKeystone {
  /** Tokens that are valid, and what is known of them. */
  readonly tokens = new Map<string, TokenDocument>();
  /** Tokens that it gave to whoever logged in, and honours. */
  readonly logins = new Set<string>();
  readonly seen: SeenRequest[] = [];
  catalog: readonly object[] = [];
  /** How long the tokens last that it gives. */
  loginTtlMs = 3_600_000;
  /** Answers a request in place of what it would do; undefined leaves it to do that. */
  intercept: (request: SeenRequest) => { status: number; body?: unknown } | undefined = () => undefined;
  /** Every answer waits for it. */
  pace: Promise<unknown> = Promise.resolve();
  private server: Server | undefined;
  private port = 0;

  constructor(private readonly tls?: { readonly cert: string; readonly key: string }) {}

  /** Without `/v3`. */
  get url(): string {
    return `${this.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`;
  }

  /** Starts to listen, again on the port that it had. */
  async start(): Promise<this> {
    const listener: RequestListener = (request, response) => void this.serve(request, response);
    this.server = this.tls === undefined ? createServer(listener) : createSecureServer(this.tls, listener);
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  /** Ends all connections and refuses new ones. Repeatable. */
  async stop(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  }

  /** The requests for this path, without its query. */
  seenAt(method: string, path: string): SeenRequest[] {
    return this.seen.filter((request) => request.method === method && request.url.split('?')[0] === path);
  }

  private async serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const piece of incoming) body += String(piece);
    const request = {
      method: incoming.method ?? '',
      url: incoming.url ?? '',
      headers: incoming.headers,
      body,
    };
    this.seen.push(request);
    await this.pace;
    const {
      status,
      body: answer,
      headers,
    } = { headers: {}, ...(this.intercept(request) ?? this.answer(request)) };
    const text = answer === undefined ? '' : JSON.stringify(answer);
    response
      .writeHead(status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        ...headers,
      })
      .end(text);
  }

  private answer(request: SeenRequest): { status: number; body?: unknown; headers?: Record<string, string> } {
    const [path] = request.url.split('?');
    if (request.method === 'GET' && path === '/') return { status: 300, body: this.versions() };
    if (request.method === 'POST' && path === '/v3/auth/tokens') return this.logIn();
    if (!this.logins.has(String(request.headers['x-auth-token']))) return { status: 401 };
    if (request.method !== 'GET' || path !== '/v3/auth/tokens') return { status: 404 };
    const token = this.tokens.get(String(request.headers['x-subject-token']));
    return token === undefined ? { status: 404 } : { status: 200, body: { token } };
  }

  private logIn(): { status: number; body: unknown; headers: Record<string, string> } {
    const login = randomUUID();
    this.logins.add(login);
    const token = aTokenDocument(['service'], {
      catalog: this.catalog,
      expires_at: new Date(Date.now() + this.loginTtlMs).toISOString(),
    });
    return { status: 201, body: { token }, headers: { 'x-subject-token': login } };
  }

  private versions(): object {
    const links = [{ rel: 'self', href: `http://another.example/v3/` }];
    return { versions: { values: [{ id: 'v3.14', status: 'stable', links }] } };
  }
}
