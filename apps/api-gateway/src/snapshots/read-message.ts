import { unzipSync } from 'node:zlib';
import type { ForeignRequest } from '@glimpse/bus';
import type { SnapshotReplyAddress } from '@glimpse/contracts';
import { z } from 'zod';
import { parseJson } from '../http/request-body.js';
import { BrokenMessage } from './broken-message.js';
import { type KeptMessage, keptDocument, keptText } from './kept-message.js';
import {
  OsloCall,
  contextOf,
  findOsloMessage,
  isKnownEnvelope,
  refusalOfTarget,
  unknownMethod,
} from './oslo-envelope.js';
import { type SnapshotMessage, readCancel, readCreate, readShow } from './snapshot-message.js';

type Told = BrokenMessage['told'];

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

/** What nobody can read is answered by its properties alone. */
function unreadable(why: string, bytes: Buffer, told: Told): BrokenMessage {
  return new BrokenMessage(why, keptText(bytes), told);
}

/** The text of a message, as long as it may be. */
function bytesOf({ body, compression }: ForeignRequest, maxBytes: number, told: Told): Buffer {
  if (body.length > maxBytes) throw unreadable(`The message is longer than ${maxBytes} bytes`, body, told);
  if (compression === null) return body;
  try {
    // What kombu calls gzip is zlib's own format in some versions.
    return unzipSync(body, { maxOutputLength: maxBytes });
  } catch (cause) {
    const why = `The message can not be decompressed (${compression}): ${reasonOf(cause)}`;
    throw new BrokenMessage(why, { text: '', lost: ['the text'] }, told);
  }
}

/** A document in the message, or the message itself. */
function documentIn(text: Buffer, message: Buffer, told: Told): object {
  try {
    return parseJson(text);
  } catch (error) {
    throw unreadable(reasonOf(error), message, told);
  }
}

const requestIdOf = (document: unknown): string | null => {
  const id: unknown =
    typeof document === 'object' && document !== null ? Reflect.get(document, 'request_id') : null;
  return typeof id === 'string' && id.length <= 255 ? id : null;
};

const isForReplies = (queue: string, { replyQueues }: ReadingOptions): boolean =>
  replyQueues.some((beginning) => queue.startsWith(beginning));

/** Whom to tell of a message that nobody read. */
function toldOf({ replyTo, correlationId }: ForeignRequest, options: ReadingOptions): Told {
  const isKnown = replyTo !== null && isForReplies(replyTo, options);
  return {
    replyTo: isKnown ? { exchange: '', routingKey: replyTo, correlationId, form: 'plain' } : null,
    requestId: null,
  };
}

/** Null where none is wanted. Glimpse would else write, in its name, into queues that the sender may not write to. */
function replyAddress(
  queue: string | null | undefined,
  rest: Pick<SnapshotReplyAddress, 'correlationId' | 'form'>,
  kept: KeptMessage,
  options: ReadingOptions,
): SnapshotReplyAddress | null {
  if (queue === null || queue === undefined || queue === '') return null;
  if (isForReplies(queue, options)) return { exchange: '', routingKey: queue, ...rest };
  throw new BrokenMessage(
    `Replies are not sent to the queue ${queue.slice(0, 100)}, whose name does not begin as snapshots.reply_queues says`,
    kept,
  );
}

/** Runs what throws for a document that breaks the contract. */
function checked<T>(
  read: () => T,
  kept: KeptMessage,
  replyTo: SnapshotReplyAddress | null,
  document: unknown,
): T {
  try {
    return read();
  } catch (error) {
    throw new BrokenMessage(reasonOf(error), kept, { replyTo, requestId: requestIdOf(document) });
  }
}

function readPlain(request: ForeignRequest, document: object, options: ReadingOptions): SnapshotMessage {
  const kept = keptDocument(document);
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

function readCall(call: OsloCall, kept: KeptMessage, options: ReadingOptions): SnapshotMessage {
  const { method, args } = call;
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
  const told = toldOf(request, options);
  const bytes = bytesOf(request, options.maxMessageBytes, told);
  const document = documentIn(bytes, bytes, told);
  const enclosed = findOsloMessage(document);
  if (enclosed === undefined) return readPlain(request, document, options);
  const { version, message } = enclosed;
  if (!isKnownEnvelope(version) || typeof message !== 'string')
    throw unreadable('The version of the oslo.messaging envelope is not understood', bytes, told);
  const inner = documentIn(Buffer.from(message), bytes, told);
  const kept = keptDocument(inner, (call) => ({
    'oslo.version': version,
    'oslo.message': JSON.stringify(call),
  }));
  const call = checked(() => OsloCall.parse(inner), kept, told.replyTo, inner);
  return readCall(call, kept, options);
}

/** What is needed to give a message up: whom to tell, and what may be kept of it. */
export interface GivenUp extends Told {
  readonly kept: KeptMessage;
}

/** Of any message; where `isToBeRead` is false, of its properties alone. */
export function whatToTell(request: ForeignRequest, options: ReadingOptions, isToBeRead: boolean): GivenUp {
  if (!isToBeRead) return { ...toldOf(request, options), kept: keptText(request.body) };
  try {
    return readMessage(request, options);
  } catch (error) {
    if (error instanceof BrokenMessage) return { ...error.told, kept: error.kept };
    throw error;
  }
}
