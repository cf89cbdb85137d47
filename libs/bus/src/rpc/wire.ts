import { WireError } from '@glimpse/contracts';
import { z } from 'zod';

/** One call within an envelope. */
export const WireCall = z.object({
  /** Unique within the client's connection. */
  id: z.int(),
  pattern: z.string(),
  /** Epoch milliseconds after which its caller no longer waits. */
  deadline: z.number(),
  requestId: z.string().optional(),
  traceparent: z.string().optional(),
  request: z.unknown(),
});
export type WireCall = z.output<typeof WireCall>;

export const WireAnswer = z.object({
  id: z.int(),
  response: z.unknown().optional(),
  error: WireError.optional(),
});
export type WireAnswer = z.output<typeof WireAnswer>;

const RequestBody = z.object({ calls: z.array(WireCall) });
const AnswerBody = z.object({ answers: z.array(WireAnswer) });

// The parts are JSON text already, so that their size is known and nothing is turned into JSON twice.

export const requestBody = (calls: readonly string[]): string => `{"calls":[${calls.join(',')}]}`;
export const answerBody = (answers: readonly string[]): string => `{"answers":[${answers.join(',')}]}`;

/** Throws when `body` is no envelope. */
export const parseRequestBody = (body: string): WireCall[] => RequestBody.parse(JSON.parse(body)).calls;
/** Throws when `body` holds no answers. */
export const parseAnswerBody = (body: string): WireAnswer[] => AnswerBody.parse(JSON.parse(body)).answers;
