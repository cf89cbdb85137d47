import type { MessageHandler } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';

/** Runs a handler as NestJS registered it and answers with its result; rejects with what the handler threw. */
export async function invoke(handler: MessageHandler, message: unknown): Promise<unknown> {
  const result: unknown = await handler(message);
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}
