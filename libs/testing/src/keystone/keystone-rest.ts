import { waitFor } from '../wait-for.js';

/** How somebody proves who they are: the `identity` part of a request for a token. */
export interface Credentials {
  readonly methods: readonly string[];
  readonly [method: string]: unknown;
}

export const withPassword = (user: { id: string; password: string }): Credentials => ({
  methods: ['password'],
  password: { user },
});

export const withApplicationCredential = (credential: { id: string; secret: string }): Credentials => ({
  methods: ['application_credential'],
  application_credential: credential,
});

/** What a token is for; none for an application credential, which has a project of its own. */
export type Scope =
  | { readonly project: object }
  | { readonly domain: object }
  | { readonly system: { readonly all: true } }
  | { readonly 'OS-TRUST:trust': { readonly id: string } }
  | 'unscoped';

const START_TIMEOUT_MS = 30_000;

/** Requests to the identity API, version 3, that say what they expected when the answer is another one. */
export class KeystoneRest {
  /** `url` ends in `/v3`. */
  constructor(readonly url: string) {}

  /** A token for these credentials. */
  async issueToken(identity: Credentials, scope?: Scope): Promise<string> {
    const auth = scope === undefined ? { identity } : { identity, scope };
    const { headers } = await this.send('POST', '/auth/tokens', { body: { auth } });
    const token = headers.get('x-subject-token');
    if (token === null) throw new Error('Keystone gave no token');
    return token;
  }

  /** Sends a request and reads the answer as JSON (`undefined` where it is empty). Rejects when it is an error. */
  async send(
    method: string,
    path: string,
    options: { token?: string; body?: object; headers?: Record<string, string> } = {},
  ): Promise<{ headers: Headers; body: unknown }> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(options.token === undefined ? {} : { 'x-auth-token': options.token }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Keystone: ${method} ${path} was answered ${response.status}: ${text}`);
    return { headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** Waits until Keystone answers. */
  async ready(): Promise<void> {
    await waitFor(`Keystone at ${this.url}`, () => this.send('GET', ''), START_TIMEOUT_MS);
  }
}
