import type { HttpRequest } from '@glimpse/testing';
import { request } from '@glimpse/testing';
import type { Ledger } from './ledger.js';

/** Longer than any request may take: a call of the bus, tried again, and the slowest body. */
const REQUEST_TIMEOUT_MS = 60_000;

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Buffer;
}

/** Whether the service has said what came of it. */
export type Outcome = { readonly kind: 'answered'; readonly answer: Answer } | { readonly kind: 'unknown' };

const UNKNOWN: Outcome = { kind: 'unknown' };
const JSON_TYPE = { 'content-type': 'application/json' };

/** A client that asks one gateway after the other and books what it is answered. */
export class ChaosClient {
  private turn = 0;

  constructor(
    private readonly urls: () => readonly string[],
    private readonly ledger: Ledger,
  ) {}

  /** `expected` are the answers that make sense; another one is a violation. 502 to 504 leave the outcome open. */
  async send(
    operation: string,
    expected: readonly number[],
    method: string,
    path: string,
    options: HttpRequest = {},
  ): Promise<Outcome> {
    const outcome = await this.attempt(operation, method, path, options);
    if (outcome.kind === 'unknown') this.ledger.count(operation, 'unknown');
    else {
      const { status, text } = outcome.answer;
      this.ledger.count(operation, status < 300 ? 'acknowledged' : 'refused');
      if (!expected.includes(status))
        this.ledger.violation(
          `${operation}: ${method} ${path} was answered with ${status}: ${text.replaceAll(/<[^>]*>|\s+/g, ' ').slice(0, 300)}`,
        );
    }
    return outcome;
  }

  sendJson(
    operation: string,
    expected: readonly number[],
    method: string,
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = JSON_TYPE,
  ): Promise<Outcome> {
    return this.send(operation, expected, method, path, { headers, body: JSON.stringify(body) });
  }

  private async attempt(
    operation: string,
    method: string,
    path: string,
    options: HttpRequest,
  ): Promise<Outcome> {
    const urls = this.urls();
    this.turn += 1;
    const url = urls[this.turn % Math.max(1, urls.length)];
    if (url === undefined) return UNKNOWN;
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    try {
      const answer = await request(method, `${url}${path}`, { ...options, signal });
      return answer.status >= 502 && answer.status <= 504 ? UNKNOWN : { kind: 'answered', answer };
    } catch {
      if (signal.aborted)
        this.ledger.violation(`${operation}: ${method} ${path} had no end after ${REQUEST_TIMEOUT_MS} ms`);
      return UNKNOWN;
    }
  }
}
