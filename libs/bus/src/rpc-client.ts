import {
  type RequestOf,
  type ResponseOf,
  type RpcDefinition,
  ServiceError,
  isServiceError,
} from '@glimpse/contracts';
import { type Logger, histogram, metricNames } from '@glimpse/observability';
import { Injectable } from '@nestjs/common';
import type { CallSender } from './rpc/call-sender.js';
import { rpcQueue } from './topology.js';

export interface CallOptions {
  /** How long to wait for the answer; the definition's timeout unless given. A call that waits longer is not run. */
  readonly timeoutMs?: number;
  /** Gives the call up: it rejects with the signal's reason. Its handler may still run. */
  readonly signal?: AbortSignal;
}

const durations = histogram({
  name: metricNames.rpcCalls,
  help: 'Time from a call to its answer, by the caller, in seconds.',
  labelNames: ['pattern', 'code'],
});

/** Calls other services. */
@Injectable()
export class RpcClient {
  constructor(
    private readonly sender: CallSender,
    private readonly logger: Logger,
  ) {}

  /**
   * Resolves with the checked answer of the service that owns the definition. Rejects with the `ServiceError` that its
   * handler threw, or RPC_TIMEOUT, BUS_UNAVAILABLE (no connection, or nobody to answer), RPC_UNKNOWN, REQUEST_INVALID,
   * SERVICE_STOPPING, INTERNAL. After RPC_TIMEOUT and BUS_UNAVAILABLE it is unknown whether the call was carried out.
   */
  async call<D extends RpcDefinition>(
    definition: D,
    request: RequestOf<D>,
    options: CallOptions = {},
  ): Promise<ResponseOf<D>> {
    const started = performance.now();
    let code = 'OK';
    try {
      const response = await this.sender.send({
        queue: rpcQueue(definition.owner),
        pattern: definition.pattern,
        request,
        timeoutMs: options.timeoutMs ?? definition.timeoutMs,
        signal: options.signal,
      });
      return this.check(definition, response);
    } catch (error) {
      code = isServiceError(error) ? error.code : 'ABORTED';
      throw error;
    } finally {
      durations.observe({ pattern: definition.pattern, code }, (performance.now() - started) / 1000);
    }
  }

  private check<D extends RpcDefinition>(definition: D, response: unknown): ResponseOf<D> {
    const parsed = definition.response.safeParse(response);
    if (parsed.success) return parsed.data as ResponseOf<D>;
    this.logger.error({ pattern: definition.pattern, err: parsed.error }, 'answer breaks its contract');
    throw new ServiceError('INTERNAL', `The answer of ${definition.pattern} breaks its contract`);
  }
}
