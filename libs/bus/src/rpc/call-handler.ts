import { type RpcDefinition, ServiceError, isServiceError } from '@glimpse/contracts';
import { type Logger, histogram, metricNames, runInContext, traceparentFrom } from '@glimpse/observability';
import type { MessageHandler } from '@nestjs/microservices';
import { AnswerCollector } from './answer-collector.js';
import type { CallWatch } from './call-watch.js';
import { invoke } from './invoke.js';
import type { WireAnswer, WireCall } from './wire.js';

/**
 * How far the clocks of two services may differ. A call that is older than its deadline by more than this is not run:
 * the broker throws away what expires in a queue, but not what waited in the buffers of a process that stood still.
 */
const CLOCK_TOLERANCE_MS = 2_000;

const durations = histogram({
  name: metricNames.rpcHandled,
  help: 'Time that a handler took for a call, in seconds.',
  labelNames: ['pattern', 'code'],
});

interface RpcHandler {
  readonly run: MessageHandler;
  readonly definition: RpcDefinition;
}

/** Runs single calls. Never rejects: what goes wrong is the answer. */
export class CallHandler {
  private readonly handlers = new Map<string, RpcHandler>();
  private watch: CallWatch | null = null;

  constructor(private readonly logger: Logger) {}

  get isEmpty(): boolean {
    return this.handlers.size === 0;
  }

  register(definition: RpcDefinition, run: MessageHandler): void {
    this.handlers.set(definition.pattern, { run, definition });
  }

  watchWith(watch: CallWatch): void {
    this.watch = watch;
  }

  /** The answer as JSON text. */
  answer(call: WireCall): Promise<string> {
    const { requestId } = call;
    const context = {
      traceparent: traceparentFrom(call.traceparent),
      ...(requestId === undefined ? {} : { requestId }),
    };
    return runInContext(context, async () => {
      const started = performance.now();
      const handler = this.handlers.get(call.pattern);
      let code = 'OK';
      let text: string;
      try {
        text = this.encode({ id: call.id, response: await this.run(handler, call) });
      } catch (error) {
        const failure = this.toServiceError(error, call.pattern);
        code = failure.code;
        text = JSON.stringify({ id: call.id, error: failure.toWire() } satisfies WireAnswer);
      }
      const pattern = handler === undefined ? 'unknown' : call.pattern;
      durations.observe({ pattern, code }, (performance.now() - started) / 1000);
      return text;
    });
  }

  /** The answer to a call that is not run. */
  refuse(call: WireCall, error: ServiceError): string {
    return JSON.stringify({ id: call.id, error: error.toWire() } satisfies WireAnswer);
  }

  private run(handler: RpcHandler | undefined, call: WireCall): Promise<unknown> {
    if (handler === undefined)
      throw new ServiceError('RPC_UNKNOWN', `There is no call ${call.pattern} in this release`);
    const lateMs = Date.now() - call.deadline;
    if (lateMs > CLOCK_TOLERANCE_MS)
      throw new ServiceError('RPC_TIMEOUT', `The call arrived ${lateMs} ms late; do the clocks agree?`);
    const parsed = handler.definition.request.safeParse(call.request);
    if (!parsed.success)
      throw new ServiceError('REQUEST_INVALID', `The request of ${call.pattern} breaks its contract`, {
        details: { issues: parsed.error.issues.map(({ path, message }) => ({ path, message })) },
      });
    return this.watch === null
      ? invoke(handler.run, parsed.data)
      : this.runWatched(this.watch, handler, parsed.data);
  }

  private async runWatched(
    watch: CallWatch,
    { run, definition }: RpcHandler,
    request: unknown,
  ): Promise<unknown> {
    try {
      watch.begin(definition.pattern, request);
      return await invoke(run, request);
    } catch (error) {
      watch.failed(definition.pattern, request, error);
      throw error;
    }
  }

  private encode(answer: WireAnswer): string {
    const text = JSON.stringify(answer);
    if (AnswerCollector.fits(text)) return text;
    throw new Error(`The answer of ${text.length} characters is too large for the bus`);
  }

  private toServiceError(error: unknown, pattern: string): ServiceError {
    if (isServiceError(error)) return error;
    this.logger.error({ err: error, pattern }, 'call failed');
    return new ServiceError('INTERNAL', 'The service failed to carry the call out; its log has the reason');
  }
}
