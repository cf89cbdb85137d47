import { ServiceError } from '@glimpse/contracts';
import { histogram, metricNames } from '@glimpse/observability';
import type { BusOptions } from '../bus-options.js';
import type { ClientLink } from '../transport.js';
import type { CallHolder, PendingCall } from './pending-call.js';
import { requestBody } from './wire.js';

/**
 * How long an unanswered envelope keeps others from being sent. Long enough for what a database answers at once, so
 * that calls gather; short enough that a slow call costs the others next to nothing.
 */
export const ENVELOPE_HOLD_MS = 5;

const callsPerEnvelope = histogram({
  name: metricNames.rpcEnvelopeCalls,
  help: 'Calls that travelled in one envelope.',
  labelNames: ['service'],
  buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
});

/** A sent envelope, for as long as it counts as unanswered: until its last call is over or its time is. */
class SentEnvelope implements CallHolder {
  private isHolding = true;
  private readonly timer: NodeJS.Timeout;

  constructor(
    private unanswered: number,
    private readonly letGo: () => void,
  ) {
    this.timer = setTimeout(() => this.stopHolding(), ENVELOPE_HOLD_MS);
  }

  release(): void {
    this.unanswered -= 1;
    if (this.unanswered === 0) this.stopHolding();
  }

  private stopHolding(): void {
    if (!this.isHolding) return;
    this.isHolding = false;
    clearTimeout(this.timer);
    this.letGo();
  }
}

/**
 * Calls to one queue with similar timeouts. They are sent at once while few envelopes are unanswered; else they gather,
 * and the next envelope takes as many as its bounds allow.
 */
export class EnvelopeLane implements CallHolder {
  private readonly waiting = new Set<PendingCall>();
  private unanswered = 0;
  private isFlushScheduled = false;

  constructor(
    private readonly queue: string,
    private readonly link: ClientLink,
    private readonly bus: Pick<BusOptions, 'service' | 'options'>,
    private readonly nextEnvelopeId: () => string,
  ) {}

  add(call: PendingCall): void {
    call.holder = this;
    this.waiting.add(call);
    this.scheduleFlush();
  }

  release(call: PendingCall): void {
    this.waiting.delete(call);
  }

  /** After the current turn of the event loop, so that calls made together travel together. */
  scheduleFlush(): void {
    if (this.isFlushScheduled || this.waiting.size === 0) return;
    this.isFlushScheduled = true;
    setImmediate(() => {
      this.isFlushScheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    const { envelopesInFlight } = this.bus.options;
    while (this.waiting.size > 0 && this.unanswered < envelopesInFlight && this.link.isWritable())
      this.send(this.takeCalls());
  }

  private takeCalls(): PendingCall[] {
    const { maxCallsPerEnvelope, maxEnvelopeBytes } = this.bus.options;
    const calls: PendingCall[] = [];
    let bytes = 0;
    for (const call of this.waiting) {
      // A call that is larger than an envelope should be travels alone.
      const isFull = calls.length === maxCallsPerEnvelope || bytes + call.bytes > maxEnvelopeBytes;
      if (isFull && calls.length > 0) break;
      calls.push(call);
      bytes += call.bytes;
    }
    for (const call of calls) this.waiting.delete(call);
    return calls;
  }

  private send(calls: readonly PendingCall[]): void {
    const id = this.nextEnvelopeId();
    this.unanswered += 1;
    const envelope = new SentEnvelope(calls.length, () => {
      this.unanswered -= 1;
      this.scheduleFlush();
    });
    for (const call of calls) {
      call.holder = envelope;
      call.envelopeId = id;
    }
    const tightest = Math.min(...calls.map((call) => call.deadline));
    try {
      this.link.send({
        id,
        queue: this.queue,
        body: requestBody(calls.map((call) => call.text)),
        expirationMs: Math.max(1, tightest - Date.now()),
      });
      callsPerEnvelope.observe({ service: this.bus.service }, calls.length);
    } catch (cause) {
      for (const call of calls)
        call.reject(new ServiceError('BUS_UNAVAILABLE', 'The call could not be sent', { cause }));
    }
  }
}
