import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '@glimpse/config';
import type { Logger } from '@glimpse/observability';
import { Agent, buildConnector } from 'undici';
import { CircuitBreaker } from './circuit-breaker.js';
import { identityUnavailable } from './identity-unavailable.js';
import { type Operation, available, requestDurations } from './keystone-metrics.js';

/** The longest answer that is read: a token of somebody with very many roles is a hundredth of it. */
const MAX_ANSWER_BYTES = 4_194_304;
const FIRST_PAUSE_MS = 100;

export interface KeystoneRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
}

export interface KeystoneAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** What the JSON says; undefined where it is none. */
  readonly body: unknown;
}

type Options = Pick<
  Config['keystone'],
  | 'caFile'
  | 'certFile'
  | 'keyFile'
  | 'insecure'
  | 'httpConnectTimeoutMs'
  | 'httpRequestMaxRetries'
  | 'requestTimeoutMs'
  | 'maxConnections'
  | 'maxWaiting'
>;

const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path));

/** Opens connections with the certificates that are in the files now, so that renewed ones need no restart. */
function connector(options: Options): buildConnector.connector {
  return (target, callback) => {
    try {
      const connect = buildConnector({
        ca: read(options.caFile),
        cert: read(options.certFile),
        key: read(options.keyFile),
        rejectUnauthorized: !options.insecure,
        timeout: options.httpConnectTimeoutMs,
      });
      connect(target, callback);
    } catch (error) {
      callback(error as Error, null);
    }
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Keystone can't do it now; anything below is its answer. */
const isAway = (status: number) => status >= 500 || status === 429 || status === 408;

/** Sends requests to Keystone, as many at once as it can take, and none for a while when it is away. */
export class KeystoneHttp {
  private readonly agent: Agent;
  private readonly breaker = new CircuitBreaker();
  private readonly closed = new AbortController();
  private pending = 0;

  constructor(
    private readonly options: Options,
    private readonly logger: Logger,
  ) {
    this.agent = new Agent({
      connections: options.maxConnections,
      pipelining: 1,
      connect: connector(options),
      maxResponseSize: MAX_ANSWER_BYTES,
    });
    available.set(1);
  }

  /**
   * The answer of Keystone. Tries again while it can't be reached; rejects with `IDENTITY_UNAVAILABLE` when it was away
   * for too long, and at once when it is known to be away or too many requests wait for it already.
   */
  async send(operation: Operation, request: KeystoneRequest): Promise<KeystoneAnswer> {
    if (this.pending >= this.options.maxConnections + this.options.maxWaiting)
      throw identityUnavailable(new Error('too many requests wait for Keystone'));
    this.pending++;
    try {
      const timeout = AbortSignal.timeout(this.options.requestTimeoutMs);
      return await this.tryAgain(operation, request, AbortSignal.any([timeout, this.closed.signal]));
    } finally {
      this.pending--;
    }
  }

  async close(): Promise<void> {
    this.closed.abort(new Error('the service is stopping'));
    await this.agent.destroy();
  }

  private async tryAgain(
    operation: Operation,
    request: KeystoneRequest,
    signal: AbortSignal,
  ): Promise<KeystoneAnswer> {
    let lastError: unknown = new Error('Keystone is left alone for a moment, since it did not answer');
    for (let attempt = 0; attempt <= this.options.httpRequestMaxRetries; attempt++) {
      if (!this.breaker.mayPass()) break;
      try {
        const answer = await this.timed(operation, request, signal);
        this.noteSuccess();
        return answer;
      } catch (error) {
        lastError = error;
        this.noteFailure(request.url, error);
      }
      // Half of it by chance, so that gateways don't come back in step.
      const pauseMs = FIRST_PAUSE_MS * 2 ** attempt * (0.5 + Math.random() / 2);
      if (signal.aborted) break;
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    }
    throw identityUnavailable(lastError);
  }

  private async timed(
    operation: Operation,
    request: KeystoneRequest,
    signal: AbortSignal,
  ): Promise<KeystoneAnswer> {
    const start = performance.now();
    let status = 0;
    try {
      const answer = await this.once(request, signal);
      ({ status } = answer);
      if (isAway(status)) throw new Error(`Keystone answered ${status}`);
      return answer;
    } finally {
      requestDurations.observe({ operation, status }, (performance.now() - start) / 1000);
    }
  }

  private async once(request: KeystoneRequest, signal: AbortSignal): Promise<KeystoneAnswer> {
    const url = new URL(request.url);
    const { statusCode, headers, body } = await this.agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: request.method,
      headers: {
        accept: 'application/json',
        'user-agent': 'glimpse',
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...request.headers,
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      signal,
    });
    return { status: statusCode, headers, body: parseJson(await body.text()) };
  }

  private noteSuccess(): void {
    if (!this.breaker.succeeded()) return;
    available.set(1);
    this.logger.info('Keystone answers again');
  }

  private noteFailure(url: string, error: unknown): void {
    if (this.closed.signal.aborted || !this.breaker.failed()) return;
    available.set(0);
    this.logger.warn(
      { err: error, keystone: new URL(url).origin },
      'Keystone does not answer: only tokens that were checked lately are accepted',
    );
  }
}
