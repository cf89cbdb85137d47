import type { z } from 'zod';

/** The services that answer RPC, each on the queue `glimpse.<owner>`. */
export type RpcOwner = 'registry' | 'store-worker';

/** A call that one service offers: its pattern on the bus and the shapes that both sides check. */
export interface RpcDefinition<Req extends z.ZodType = z.ZodType, Res extends z.ZodType = z.ZodType> {
  readonly kind: 'rpc';
  readonly owner: RpcOwner;
  /** `<owner>.<noun>.<verb>`, e.g. `registry.image.get`. */
  readonly pattern: string;
  readonly request: Req;
  readonly response: Res;
  /** How long a caller waits, and how long the request may lie in the queue, unless the caller says otherwise. */
  readonly timeoutMs: number;
}

export type RequestOf<D extends RpcDefinition> = z.output<D['request']>;
export type ResponseOf<D extends RpcDefinition> = z.output<D['response']>;

const DEFAULT_TIMEOUT_MS = 10_000;

/** Defines a call. The owner is the first part of the pattern. */
export function rpc<Req extends z.ZodType, Res extends z.ZodType>(
  pattern: `${RpcOwner}.${string}.${string}`,
  shapes: { request: Req; response: Res; timeoutMs?: number },
): RpcDefinition<Req, Res> {
  const owner = pattern.slice(0, pattern.indexOf('.')) as RpcOwner;
  return {
    kind: 'rpc',
    owner,
    pattern,
    request: shapes.request,
    response: shapes.response,
    timeoutMs: shapes.timeoutMs ?? DEFAULT_TIMEOUT_MS,
  };
}
