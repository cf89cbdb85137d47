import { unzipSync } from 'node:zlib';
import type { ForeignRequest } from '@glimpse/bus';
import type { SnapshotReplyAddress } from '@glimpse/contracts';
import { z } from 'zod';
import { parseJson } from '../http/request-body.js';
import { BrokenMessage } from './broken-message.js';
import {
  OsloCall,
  contextOf,
  findOsloMessage,
  isKnownEnvelope,
  refusalOfTarget,
  unknownMethod,
} from './oslo-envelope.js';
import { type SnapshotMessage, readCancel, readCreate, readShow } from './snapshot-message.js';
import { withoutLongWords, withoutSecrets } from './without-secrets.js';

export interface ReadingOptions {
  readonly maxMessageBytes: number;
  /** How the names of queues begin that replies may be sent to. */
  readonly replyQueues: readonly string[];
}

const reasonOf = (error: unknown): string =>
  error instanceof z.ZodError
    ? error.issues
        .map(({ path, message }) => `${path.map(String).join('.') || 'the message'}: ${message}`)
        .join('; ')
    : error instanceof Error
      ? error.message
      : String(error);

/** The text of a message, as long as it may be. */
function bytesOf({ body, compression }: ForeignRequest, maxBytes: number): Buffer {
  const tooLong = () =>
    new BrokenMessage(
      `The message is longer than ${maxBytes} bytes`,
      withoutLongWords(body.toString('latin1', 0, 4_096)),
    );
  if (body.length > maxBytes) throw tooLong();
  if (compression === null) return body;
  try {
    // What kombu calls gzip is zlib's own format in some versions.
    return unzipSync(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    throw new BrokenMessage(`The message can not be decompressed (${compression}): ${reasonOf(cause)}`, '');
  }
}

function documentOf(bytes: Buffer): object {
  try {
    return parseJson(bytes);
  } catch (error) {
    throw new BrokenMessage(reasonOf(error), withoutLongWords(bytes.toString('utf8', 0, 4_096)));
  }
}

const requestIdOf = (document: unknown): string | null => {
  const id: unknown =
    typeof document === 'object' && document !== null ? Reflect.get(document, 'request_id') : null;
  return typeof id === 'string' && id.length <= 255 ? id : null;
};

/** Null where none is wanted. Glimpse would else write, in its name, into queues that the sender may not write to. */
function replyAddress(
  queue: string | null | undefined,
  rest: Pick<SnapshotReplyAddress, 'correlationId' | 'form'>,
  kept: string,
  { replyQueues }: ReadingOptions,
): SnapshotReplyAddress | null {
  if (queue === null || queue === undefined || queue === '') return null;
  if (replyQueues.some((beginning) => queue.startsWith(beginning)))
    return { exchange: '', routingKey: queue, ...rest };
  throw new BrokenMessage(
    `Replies are not sent to the queue ${queue.slice(0, 100)}, whose name does not begin as snapshots.reply_queues says`,
    kept,
  );
}

/** Runs what throws for a document that breaks the contract. */
function checked<T>(read: () => T, kept: string, replyTo: SnapshotReplyAddress | null, document: unknown): T {
  try {
    return read();
  } catch (error) {
    throw new BrokenMessage(reasonOf(error), kept, { replyTo, requestId: requestIdOf(document) });
  }
}

function readPlain(request: ForeignRequest, document: object, options: ReadingOptions): SnapshotMessage {
  const kept = JSON.stringify(withoutSecrets(document));
  const { correlationId } = request;
  const replyTo = replyAddress(request.replyTo, { correlationId, form: 'plain' }, kept, options);
  const isCancel = Reflect.get(document, 'type') === 'snapshot.cancel';
  const read = checked(
    () => (isCancel ? readCancel(document) : readCreate(document)),
    kept,
    replyTo,
    document,
  );
  return { ...read, replyTo, kept };
}

const methods: Readonly<
  Record<string, (args: Readonly<Record<string, unknown>>) => ReturnType<typeof readCreate>>
> = {
  create_snapshot: ({ request }) => readCreate(request),
  cancel_snapshot: (args) => readCancel({ ...args, type: 'snapshot.cancel' }),
  get_snapshot: (args) => readShow(args),
};

function readCall(call: OsloCall, options: ReadingOptions): SnapshotMessage {
  const { method, args } = call;
  const kept = JSON.stringify(withoutSecrets(call));
  const messageId = call._msg_id ?? null;
  const queue = messageId === null ? null : call._reply_q;
  const replyTo = replyAddress(queue, { correlationId: messageId, form: 'oslo' }, kept, options);
  const about = 'request' in args ? args['request'] : args;
  const refusal = refusalOfTarget(call);
  const run = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (refusal !== undefined || run === undefined) {
    const { remote, message } = refusal ?? unknownMethod(method);
    throw new BrokenMessage(message, kept, { replyTo, requestId: requestIdOf(about), remote });
  }
  const read = checked(() => run(args), kept, replyTo, about);
  const { token: contextToken, ...context } = contextOf(call);
  const { projectId, userId, roles } = read.stated;
  return {
    ...read,
    stated: {
      projectId: projectId ?? context.projectId,
      // Who is meant and what they may do belong together.
      userId: userId ?? context.userId,
      roles: roles ?? (userId === undefined ? context.roles : undefined),
    },
    contextToken,
    replyTo,
    kept,
  };
}

/** Reads a message of compute, plain or in the envelope of oslo.messaging. Throws a `BrokenMessage` for any other. */
export function readMessage(request: ForeignRequest, options: ReadingOptions): SnapshotMessage {
  const document = documentOf(bytesOf(request, options.maxMessageBytes));
  const enclosed = findOsloMessage(document);
  if (enclosed === undefined) return readPlain(request, document, options);
  const { version, message } = enclosed;
  const text = typeof message === 'string' ? message : '';
  if (!isKnownEnvelope(version) || typeof message !== 'string')
    throw new BrokenMessage(
      'The version of the oslo.messaging envelope is not understood',
      withoutLongWords(text),
    );
  const inner = documentOf(Buffer.from(text));
  const kept = JSON.stringify(withoutSecrets(inner));
  return readCall(
    checked(() => OsloCall.parse(inner), kept, null, inner),
    options,
  );
}
