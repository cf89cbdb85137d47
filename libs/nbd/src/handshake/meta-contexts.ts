import { violation } from '../nbd-error.js';
import { encodeString, encodeUint32, optionReplies, options } from '../protocol.js';
import { type OptionChannel, type OptionReply, readableText } from './option-channel.js';

/** The metadata contexts of a connection. */
export interface MetaContexts {
  /** Name to number, of those that were agreed on. */
  readonly ids: ReadonlyMap<string, number>;
  /** The names the server could tell of; known only where a wanted one was not among them. */
  readonly offered: readonly string[];
}

export const NO_CONTEXTS: MetaContexts = { ids: new Map(), offered: [] };

const encodeQueries = (exportName: string, queries: readonly string[]): Buffer =>
  Buffer.concat([encodeString(exportName), encodeUint32(queries.length), ...queries.map(encodeString)]);

/** Agrees on those of the `wanted` contexts that the server has. */
export async function negotiateContexts(
  channel: OptionChannel,
  exportName: string,
  wanted: readonly string[],
): Promise<MetaContexts> {
  const answer = await channel.ask(options.setMetaContext, encodeQueries(exportName, wanted));
  // A server without metadata, or without that export: the latter shows when it is opened.
  if (answer.refusal !== null) return NO_CONTEXTS;
  const ids = new Map<string, number>();
  for (const { id, name } of answer.told.map(readContext)) {
    if (!wanted.includes(name)) throw violation('a metadata context that was not asked for');
    if (ids.has(name) || [...ids.values()].includes(id)) throw violation('a metadata context twice');
    ids.set(name, id);
  }
  const isComplete = ids.size === new Set(wanted).size;
  return { ids, offered: isComplete ? [...ids.keys()] : await listContexts(channel, exportName) };
}

async function listContexts(channel: OptionChannel, exportName: string): Promise<string[]> {
  const answer = await channel.ask(options.listMetaContext, encodeQueries(exportName, []));
  return answer.refusal === null ? answer.told.map((reply) => readContext(reply).name) : [];
}

function readContext({ type, data }: OptionReply): { id: number; name: string } {
  if (type !== optionReplies.metaContext || data.length < 5)
    throw violation('an answer about metadata contexts that is none');
  return { id: data.readUInt32BE(0), name: readableText(data.subarray(4)) };
}
