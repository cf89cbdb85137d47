import { ServiceError } from '@glimpse/contracts';
import { currentContext } from '@glimpse/observability';
import type { BusOptions } from '../bus-options.js';
import { type ClientLink, FIRST_CONNECT_WAIT_MS, MAX_MESSAGE_BYTES } from '../transport.js';
import { EnvelopeLane } from './envelope-lane.js';
import { PendingCall } from './pending-call.js';
import { type WireAnswer, parseAnswerBody } from './wire.js';

export interface Call {
  readonly queue: string;
  readonly pattern: string;
  readonly request: unknown;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Sends calls and matches their answers. A call is over after its timeout at the latest. */
export class CallSender {
  private state: 'connecting' | 'connected' | 'disconnected' | 'closing' = 'connecting';
  private readonly pending = new Map<number, PendingCall>();
  private readonly lanes = new Map<string, EnvelopeLane>();
  private lastCallId = 0;
  private lastEnvelopeId = 0;
  private readonly firstConnectTimer: NodeJS.Timeout;
  private onIdle: (() => void) | null = null;

  constructor(
    private readonly link: ClientLink,
    private readonly bus: BusOptions,
  ) {
    this.firstConnectTimer = setTimeout(() => this.disconnected(), FIRST_CONNECT_WAIT_MS);
  }

  /** The answer's response, unchecked. Codes: RPC_TIMEOUT, BUS_UNAVAILABLE, REQUEST_INVALID, SERVICE_STOPPING and the handler's. */
  send(call: Call): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.refuseIfImpossible(call);
      const deadline = Date.now() + call.timeoutMs;
      const id = (this.lastCallId += 1);
      const text = this.encode(id, call, deadline);
      const pending = new PendingCall(id, text, deadline, call.timeoutMs, call.pattern, call.signal, {
        over: () => this.forget(id),
        resolve,
        reject,
      });
      this.pending.set(id, pending);
      this.laneOf(call).add(pending);
    });
  }

  connected(): void {
    clearTimeout(this.firstConnectTimer);
    if (this.state !== 'closing') this.state = 'connected';
    this.writable();
  }

  disconnected(): void {
    clearTimeout(this.firstConnectTimer);
    if (this.state !== 'closing') this.state = 'disconnected';
    this.rejectAll(new ServiceError('BUS_UNAVAILABLE', 'The connection to the message broker is down'));
  }

  writable(): void {
    for (const lane of this.lanes.values()) lane.scheduleFlush();
  }

  answered(body: string): void {
    let answers: WireAnswer[];
    try {
      answers = parseAnswerBody(body);
    } catch (err) {
      this.bus.logger.error({ err }, 'received an answer that can not be read');
      return;
    }
    // An unknown id is a call that is over already: timed out, or given up.
    for (const { id, response, error } of answers) {
      if (error === undefined) this.pending.get(id)?.resolve(response);
      else this.pending.get(id)?.reject(ServiceError.fromWire(error));
    }
  }

  unroutable(envelopeId: string): void {
    for (const call of this.pending.values())
      if (call.envelopeId === envelopeId)
        call.reject(new ServiceError('BUS_UNAVAILABLE', 'The service that answers this call is not there'));
  }

  /** Refuses further calls, gives those that wait `graceMs` to be answered and rejects the rest. */
  async close(graceMs: number): Promise<void> {
    clearTimeout(this.firstConnectTimer);
    this.state = 'closing';
    if (this.pending.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.onIdle = resolve;
      timer = setTimeout(resolve, graceMs);
    });
    clearTimeout(timer);
    this.rejectAll(new ServiceError('SERVICE_STOPPING', 'The service is stopping'));
  }

  private refuseIfImpossible({ signal }: Call): void {
    if (this.state === 'closing') throw new ServiceError('SERVICE_STOPPING', 'The service is stopping');
    if (this.state === 'disconnected')
      throw new ServiceError('BUS_UNAVAILABLE', 'The connection to the message broker is down');
    if (this.pending.size >= this.bus.options.maxPendingCalls)
      throw new ServiceError('BUS_UNAVAILABLE', 'Too many calls are waiting for their answers');
    signal?.throwIfAborted();
  }

  private encode(id: number, { pattern, request }: Call, deadline: number): string {
    const context = currentContext();
    const text = JSON.stringify({
      id,
      pattern,
      deadline,
      requestId: context?.requestId,
      traceparent: context?.traceparent,
      request,
    });
    if (Buffer.byteLength(text) > MAX_MESSAGE_BYTES)
      throw new ServiceError('REQUEST_INVALID', `The request of ${pattern} is too large for the bus`);
    return text;
  }

  /**
   * An envelope expires with its tightest call, so only timeouts within a factor of two share a lane: no call is thrown
   * away long before its own time.
   */
  private laneOf({ queue, timeoutMs }: Call): EnvelopeLane {
    const key = `${queue}/${Math.ceil(Math.log2(timeoutMs))}`;
    let lane = this.lanes.get(key);
    if (lane === undefined) {
      lane = new EnvelopeLane(queue, this.link, this.bus, () => String((this.lastEnvelopeId += 1)));
      this.lanes.set(key, lane);
    }
    return lane;
  }

  private forget(id: number): void {
    this.pending.delete(id);
    if (this.pending.size === 0) this.onIdle?.();
  }

  private rejectAll(error: ServiceError): void {
    for (const call of this.pending.values()) call.reject(error);
  }
}
