import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { RemoteException } from './broken-message.js';

// The envelope of oslo.messaging's RPC, as version 2.0 of it is on RabbitMQ.

/** What a call is answered with. */
export const OSLO_ENVELOPE_VERSION = '2.0';
/** The version of our methods. Clients that ask for none get it. */
const VERSION = '1.0';
const NAMESPACES: ReadonlySet<unknown> = new Set([undefined, null, 'snapshots']);

/** What becomes a property of an AMQP message: its bytes count. */
const text = () => z.string().refine((value) => Buffer.byteLength(value) <= 255, 'is longer than 255 bytes');

/** What is in the envelope; the context is in members that begin with `_context_`. */
export const OsloCall = z.looseObject({
  method: z.string().max(100),
  args: z.record(z.string(), z.unknown()).default({}),
  namespace: z.unknown().optional(),
  version: z.string().max(16).nullish(),
  _msg_id: text().nullish(),
  _reply_q: text().nullish(),
});
export type OsloCall = z.output<typeof OsloCall>;

/** The text within the envelope; undefined where a document is none of oslo.messaging's. */
export function findOsloMessage(
  document: object,
): { readonly version: unknown; readonly message: unknown } | undefined {
  const version: unknown = Reflect.get(document, 'oslo.version');
  const message: unknown = Reflect.get(document, 'oslo.message');
  return version === undefined || message === undefined ? undefined : { version, message };
}

/** Whether a receiver of version 2.0 understands the envelope. */
export const isKnownEnvelope = (version: unknown): boolean =>
  typeof version === 'string' && /^2(\.0)?$/.test(version);

/** How oslo.messaging's own servers refuse a call that they have no method for. */
export interface TargetRefusal {
  readonly remote: RemoteException;
  readonly message: string;
}

/** Undefined for a target of ours. */
export function refusalOfTarget({ method, namespace, version }: OsloCall): TargetRefusal | undefined {
  const wanted = version ?? VERSION;
  if (NAMESPACES.has(namespace) && /^1(\.0)?$/.test(wanted)) return undefined;
  return {
    remote: { type: 'UnsupportedVersion', args: [wanted, method] },
    message: `Endpoint does not support RPC version ${wanted}. Attempted method: ${method}`,
  };
}

export const unknownMethod = (method: string): TargetRefusal => ({
  remote: { type: 'NoSuchMethod', args: [method] },
  message: `Endpoint does not support RPC method ${method}`,
});

const members = z.object({
  _context_project_id: z.string().max(255).nullish(),
  _context_tenant: z.string().max(255).nullish(),
  _context_user_id: z.string().max(255).nullish(),
  _context_user: z.string().max(255).nullish(),
  _context_roles: z.array(z.string().max(255)).max(64).nullish(),
  _context_auth_token: z.string().max(16_384).nullish(),
});

/** Who calls, as the context says that services of OpenStack send along. */
export function contextOf(call: OsloCall) {
  const { data } = members.safeParse(call);
  return {
    projectId: data?._context_project_id ?? data?._context_tenant ?? undefined,
    userId: data?._context_user_id ?? data?._context_user ?? undefined,
    roles: data?._context_roles ?? undefined,
    token: data?._context_auth_token ?? undefined,
  };
}

const enclose = (message: object): string =>
  JSON.stringify({
    'oslo.version': OSLO_ENVELOPE_VERSION,
    'oslo.message': JSON.stringify({
      ending: true,
      _unique_id: randomUUID().replaceAll('-', ''),
      ...message,
    }),
  });

/** The answer of a call that came to something. */
export const osloResult = (messageId: string | null, result: object): string =>
  enclose({ _msg_id: messageId, result, failure: null });

const DISPATCHER = 'oslo_messaging.rpc.dispatcher';
/** A Python module of that name may have the classes; nobody needs one. */
const OURS = 'glimpse.exceptions';
const ofDispatcher = new Set(['UnsupportedVersion', 'NoSuchMethod']);

/** `QUOTA_EXCEEDED` is raised as `QuotaExceeded`. */
export const exceptionOf = (code: string): string =>
  code
    .toLowerCase()
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

/** The answer that raises an exception at the caller: `RemoteError`, or a class of that name which the caller allows. */
export const osloFailure = (
  messageId: string | null,
  { type, args }: RemoteException,
  message: string,
): string =>
  enclose({
    _msg_id: messageId,
    result: null,
    failure: JSON.stringify({
      class: type,
      module: ofDispatcher.has(type) ? DISPATCHER : OURS,
      message,
      tb: [],
      args,
      kwargs: {},
    }),
  });
