import { ServiceError } from '@glimpse/contracts';

/** Whoever waits for the end of a call: the lane it waits in, or the envelope it travels in. */
export interface CallHolder {
  release(call: PendingCall): void;
}

/** A call that was accepted and is not over yet. It ends once: by its answer, its deadline, its signal or a failure. */
export class PendingCall {
  holder: CallHolder | null = null;
  /** The envelope it was sent in, once it was. */
  envelopeId: string | null = null;
  readonly bytes: number;
  private readonly timer: NodeJS.Timeout;
  private readonly onAbort = () => this.reject(this.signal?.reason);

  constructor(
    readonly id: number,
    readonly text: string,
    readonly deadline: number,
    timeoutMs: number,
    pattern: string,
    private readonly signal: AbortSignal | undefined,
    private readonly end: {
      over: (call: PendingCall) => void;
      resolve: (response: unknown) => void;
      reject: (error: unknown) => void;
    },
  ) {
    this.bytes = Buffer.byteLength(text);
    this.timer = setTimeout(
      () =>
        this.reject(new ServiceError('RPC_TIMEOUT', `${pattern} was not answered within ${timeoutMs} ms`)),
      timeoutMs,
    );
    signal?.addEventListener('abort', this.onAbort, { once: true });
  }

  resolve(response: unknown): void {
    this.finish();
    this.end.resolve(response);
  }

  reject(error: unknown): void {
    this.finish();
    this.end.reject(error);
  }

  private finish(): void {
    clearTimeout(this.timer);
    this.signal?.removeEventListener('abort', this.onAbort);
    this.holder?.release(this);
    this.holder = null;
    this.end.over(this);
  }
}
