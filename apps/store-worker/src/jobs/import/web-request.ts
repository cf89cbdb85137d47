import type { Readable } from 'node:stream';
import type { Config } from '@glimpse/config';
import { ServiceError, isServiceError, problemWithUri } from '@glimpse/contracts';
import { Agent, type Dispatcher } from 'undici';
import type { AllowedAddresses } from './allowed-addresses.js';
import { failed } from './failed.js';

export type WebOptions = Config['import']['webDownload'];

const CONNECT_TIMEOUT_MS = 10_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** An answer with data. Whoever receives it reads or destroys the body. */
export interface WebAnswer {
  readonly status: number;
  readonly headers: Dispatcher.ResponseData['headers'];
  readonly body: Readable;
}

interface Target {
  readonly url: URL;
  readonly authorization?: string;
}

/** Sends requests to web servers that clients name, wherever these redirect, within the operator's rules. */
export class WebRequests {
  private readonly agent: Agent;

  constructor(
    private readonly options: WebOptions,
    private readonly addresses: AllowedAddresses,
  ) {
    this.agent = new Agent({
      headersTimeout: options.idleTimeoutMs,
      bodyTimeout: options.idleTimeoutMs,
      // Without keep-alive: a connection is used for the address that was checked for it, and no other request.
      pipelining: 0,
      connect: { lookup: addresses.lookup, timeout: CONNECT_TIMEOUT_MS },
    });
  }

  /**
   * The answer with data. Throws REQUEST_INVALID where the URI, or one that it redirects to, is not allowed, and
   * TRANSFER_ABORTED where there is no data. Messages name no URL: it may hold secrets.
   */
  async get(uri: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<WebAnswer> {
    let target = this.parse(uri);
    for (let redirects = 0; redirects <= this.options.maxRedirects; redirects++) {
      const { statusCode: status, headers: answered, body } = await this.request(target, headers, signal);
      // Who reads the body learns of its failure. Without a listener one that comes before ends the process.
      body.on('error', () => undefined);
      if (status === 200 || status === 206) return { status, headers: answered, body };
      body.destroy();
      if (!REDIRECTS.has(status)) throw failed(`The server answered ${status}`);
      target = this.next(target, answered['location']);
    }
    throw failed('The server redirects too often');
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }

  private parse(uri: string): Target {
    const problem = problemWithUri(uri, this.options);
    if (problem !== undefined)
      throw new ServiceError('REQUEST_INVALID', `The URI does not pass filtering: ${problem}`);
    const url = new URL(uri);
    this.addresses.checkHost(url.hostname);
    const { username, password } = url;
    if (username === '' && password === '') return { url };
    url.username = '';
    url.password = '';
    const credentials = `${decode(username)}:${decode(password)}`;
    return { url, authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
  }

  /** Where a redirect leads, checked like any URI. Credentials go along only within the same origin. */
  private next(from: Target, location: string | string[] | undefined): Target {
    const url = typeof location === 'string' ? URL.parse(location, from.url.href) : null;
    if (url === null) throw failed('The server redirects to nowhere');
    const next = this.parse(url.href);
    const keeps = next.authorization === undefined && next.url.origin === from.url.origin;
    return keeps && from.authorization !== undefined ? { ...next, authorization: from.authorization } : next;
  }

  private async request(
    { url, authorization }: Target,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await this.agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: 'GET',
        headers: {
          ...headers,
          // The image is what is stored there, not a compressed form of it.
          'accept-encoding': 'identity',
          ...(authorization === undefined ? {} : { authorization }),
        },
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      if (isServiceError(error)) throw error;
      throw failed('The server cannot be reached', error);
    }
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
