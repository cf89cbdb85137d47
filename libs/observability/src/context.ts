import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

/** What ties the log lines and messages of one request together. */
export interface WorkContext {
  readonly requestId?: string;
  /** W3C Trace Context, `00-<trace id>-<parent id>-<flags>`. */
  readonly traceparent: string;
}

const storage = new AsyncLocalStorage<WorkContext>();
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Runs `work` so that {@link currentContext} answers with `context` in it, across every await. */
export function runInContext<T>(context: WorkContext, work: () => T): T {
  return storage.run(context, work);
}

/** The context of the request or message that is being worked on, if any. */
export function currentContext(): WorkContext | undefined {
  return storage.getStore();
}

/** 32 digits. UUIDs come from a store of random bytes; asking the system for each request's own costs far more. */
const randomHex = () => randomUUID().replaceAll('-', '');

/** `incoming` when it is a well-formed traceparent, else a fresh one. */
export function traceparentFrom(incoming: unknown): string {
  if (typeof incoming === 'string' && TRACEPARENT.test(incoming)) return incoming;
  return `00-${randomHex()}-${randomHex().slice(16)}-01`;
}

/** The trace id within a traceparent. */
export const traceIdOf = (traceparent: string): string => traceparent.slice(3, 35);
