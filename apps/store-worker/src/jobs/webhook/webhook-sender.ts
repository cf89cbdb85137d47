import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '@glimpse/config';
import {
  type ClaimedDelivery,
  type DeliveryOutcome,
  isServiceError,
  problemWithUri,
} from '@glimpse/contracts';
import { Agent, type Dispatcher } from 'undici';
import type { AllowedAddresses } from '../import/allowed-addresses.js';

/** Bytes of an answer's body that are read, so that the receiver sees its answer taken; the rest is nobody's interest. */
const MAX_ANSWER_BYTES = 16_384;
/** How long that may take. */
const ANSWER_MS = 1_000;
const MAX_HEADER_BYTES = 16_384;

const REFUSED = 'The URL leads to an address that nothing is sent to';
const TIMED_OUT = 'The receiver did not answer in time';
const UNREACHABLE = 'The receiver can not be reached';

type Options = Pick<
  Config['webhooks'],
  | 'timeoutMs'
  | 'connectTimeoutMs'
  | 'allowedSchemes'
  | 'disallowedSchemes'
  | 'allowedHosts'
  | 'disallowedHosts'
  | 'allowedPorts'
  | 'disallowedPorts'
>;

/** Sends messages to receivers that clients name, within the operator's rules. No redirect is followed. */
export class WebhookSender {
  private readonly agent: Agent;

  constructor(
    private readonly options: Options,
    private readonly addresses: AllowedAddresses,
  ) {
    this.agent = new Agent({
      headersTimeout: options.timeoutMs,
      maxHeaderSize: MAX_HEADER_BYTES,
      // Without keep-alive: a connection is used for the address that was checked for it, and no other message.
      pipelining: 0,
      connect: { lookup: addresses.lookup, timeout: options.connectTimeoutMs },
    });
  }

  /** Sends it once. Never rejects; texts of errors name no URL, which may hold secrets. */
  async send(delivery: ClaimedDelivery): Promise<DeliveryOutcome> {
    const timeout = AbortSignal.timeout(this.options.timeoutMs);
    try {
      if (problemWithUri(delivery.url, this.options) !== undefined) return { error: REFUSED };
      const url = new URL(delivery.url);
      this.addresses.checkHost(url.hostname);
      const answer = await this.agent.request({
        origin: url.origin,
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        headers: {
          ...delivery.headers,
          'content-type': 'application/json',
          'user-agent': 'Glimpse-Webhooks',
        },
        body: delivery.body,
        signal: timeout,
      });
      await readSome(answer.body);
      const retryAfterSeconds = retryAfterOf(answer.headers['retry-after'], Date.now());
      return {
        status: answer.statusCode,
        ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      };
    } catch (error) {
      return { error: describe(error, timeout) };
    }
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }
}

/** What the answer says is in its status: a body that is long, slow or breaks off changes nothing. */
async function readSome(body: Dispatcher.ResponseData['body']): Promise<void> {
  body.on('error', () => undefined);
  const isOver = new AbortController();
  const rest = body.dump({ limit: MAX_ANSWER_BYTES, signal: isOver.signal }).catch(() => undefined);
  await Promise.race([rest, delay(ANSWER_MS, undefined, { signal: isOver.signal }).catch(() => undefined)]);
  isOver.abort();
  body.destroy();
}

/** Seconds from `now`, epoch milliseconds, on; undefined where the header says nothing that makes sense. */
export function retryAfterOf(header: string | string[] | undefined, now: number): number | undefined {
  if (typeof header !== 'string') return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const date = /^[A-Z][a-z]+, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, Math.ceil((date - now) / 1_000));
}

function describe(error: unknown, timeout: AbortSignal): string {
  if (isServiceError(error, 'REQUEST_INVALID')) return REFUSED;
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  const isTimeout =
    timeout.aborted || (typeof code === 'string' && /^UND_ERR_(CONNECT|HEADERS)_TIMEOUT$/.test(code));
  if (isTimeout) return TIMED_OUT;
  return typeof code === 'string' && /^[A-Z0-9_]+$/.test(code) ? `${UNREACHABLE} (${code})` : UNREACHABLE;
}
