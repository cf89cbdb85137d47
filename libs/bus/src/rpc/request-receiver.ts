import { ServiceError } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import { reportRefusal } from '../refused-messages.js';
import type { RequestDelivery } from '../transport.js';
import { AnswerCollector } from './answer-collector.js';
import type { CallHandler } from './call-handler.js';
import { type WireCall, parseRequestBody } from './wire.js';

/** Takes envelopes apart, runs their calls concurrently and acknowledges an envelope when all of them are answered. */
export class RequestReceiver {
  constructor(
    private readonly handler: CallHandler,
    private readonly logger: Logger,
    private readonly onDone: () => void,
  ) {}

  take(delivery: RequestDelivery): void {
    if (delivery.refusal !== null) reportRefusal(this.logger, 'request', delivery.refusal);
    const calls = this.open(delivery.body);
    const collector = new AnswerCollector(delivery, calls.length, this.onDone);
    if (calls.length === 0) {
      delivery.done();
      this.onDone();
      return;
    }
    const error = this.refusalOf(delivery);
    if (error !== null) for (const call of calls) collector.add(this.handler.refuse(call, error));
    else for (const call of calls) void this.handler.answer(call).then((text) => collector.add(text));
  }

  private refusalOf({ refusal, isRedelivered }: RequestDelivery): ServiceError | null {
    if (refusal !== null) return new ServiceError('BUS_UNAVAILABLE', `The call was ${refusal}`);
    // Perhaps it was carried out before the process that had it went away: only the caller can know whether to repeat it.
    return isRedelivered
      ? new ServiceError('BUS_UNAVAILABLE', 'The process that had taken the call went away')
      : null;
  }

  /** A message that is no envelope has nobody to answer to. */
  private open(body: string): WireCall[] {
    try {
      return parseRequestBody(body);
    } catch (err) {
      // What is in it may be anybody's secret.
      this.logger.error({ err, characters: body.length }, 'received a request that can not be read');
      return [];
    }
  }
}
