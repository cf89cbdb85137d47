import type { NbdTlsOptions, Transport } from '../connection/transport.js';
import { NbdError, violation } from '../nbd-error.js';
import type { NbdAddress } from '../nbd-uri.js';
import {
  encodeString,
  encodeUint32,
  handshakeFlags,
  infos,
  magic,
  optionReplies,
  options,
} from '../protocol.js';
import { type ExportInfo, readExport, readInfos } from './export-info.js';
import type { HandshakeBuffer } from './handshake-buffer.js';
import { type MetaContexts, NO_CONTEXTS, negotiateContexts } from './meta-contexts.js';
import { OptionChannel, describeRefusal, readableText } from './option-channel.js';

/** What was agreed on. */
export interface Agreement {
  readonly info: ExportInfo;
  readonly hasStructuredReplies: boolean;
  readonly contexts: MetaContexts;
}

export interface HandshakeOptions {
  readonly tls: NbdTlsOptions;
  readonly contexts: readonly string[];
}

const GREETING_BYTES = 16;
const ZEROES_AFTER_EXPORT = 124;
const SHOWN_EXPORTS = 20;

/** The handshake of the newstyle protocol: from the greeting to where data can be asked for. */
export async function shakeHands(
  transport: Transport,
  buffer: HandshakeBuffer,
  address: NbdAddress,
  wanted: HandshakeOptions,
): Promise<Agreement> {
  const flags = await greet(transport, buffer);
  const channel = new OptionChannel(transport, buffer);
  const isFixed = (flags & handshakeFlags.fixedNewstyle) !== 0;
  const tail = (flags & handshakeFlags.noZeroes) === 0 ? ZEROES_AFTER_EXPORT : 0;

  if (address.tls !== null) await startTls(transport, buffer, channel, isFixed, wanted.tls);
  if (!isFixed) return openByName(channel, buffer, address.exportName, tail);

  const structured = await channel.ask(options.structuredReply);
  const refusal = structured.refusal?.type;
  if (refusal === optionReplies.tlsRequired) throw needsTls();
  const hasStructuredReplies = refusal === undefined;
  const contexts =
    hasStructuredReplies && wanted.contexts.length > 0
      ? await negotiateContexts(channel, address.exportName, wanted.contexts)
      : NO_CONTEXTS;
  const opened = await go(channel, address.exportName);
  return opened === null
    ? { ...(await openByName(channel, buffer, address.exportName, tail)), hasStructuredReplies, contexts }
    : { info: opened, hasStructuredReplies, contexts };
}

async function greet(transport: Transport, buffer: HandshakeBuffer): Promise<number> {
  const greeting = await buffer.take(GREETING_BYTES);
  if (greeting.readBigUInt64BE(0) !== magic.server)
    throw violation('it does not greet as an NBD server (is this the right port?)');
  const style = greeting.readBigUInt64BE(8);
  if (style === magic.oldstyle)
    throw new NbdError('NBD_UNSUPPORTED', 'The NBD server speaks the oldstyle protocol only');
  if (style !== magic.newstyle) throw violation('a greeting of a style that is not known');
  const flags = (await buffer.take(2)).readUInt16BE();
  transport.write(encodeUint32(flags & (handshakeFlags.fixedNewstyle | handshakeFlags.noZeroes)));
  return flags;
}

async function startTls(
  transport: Transport,
  buffer: HandshakeBuffer,
  channel: OptionChannel,
  isFixed: boolean,
  tls: NbdTlsOptions,
): Promise<void> {
  const answer = isFixed ? await channel.ask(options.startTls) : null;
  if (answer === null || answer.refusal !== null) {
    const why = answer?.refusal ? describeRefusal(answer.refusal) : 'its protocol is too old';
    throw new NbdError('NBD_TLS_FAILED', `The NBD server offers no TLS: ${why}`);
  }
  // Whatever came in the clear after the answer is not the server's: someone in between put it there.
  if (buffer.hasMore) throw violation('bytes in the clear where TLS begins');
  await transport.secure(tls);
}

/** Opens the export; `null` when the server does not know that option. */
async function go(channel: OptionChannel, name: string): Promise<ExportInfo | null> {
  const blockSizeWanted = Buffer.from([0, 1, 0, infos.blockSize]);
  const answer = await channel.ask(options.go, Buffer.concat([encodeString(name), blockSizeWanted]));
  if (answer.refusal === null) return readInfos(answer.told);
  switch (answer.refusal.type) {
    case optionReplies.unsupported:
      return null;
    case optionReplies.tlsRequired:
      throw needsTls();
    case optionReplies.unknownExport:
      throw await notFound(channel, name);
    default:
      throw new NbdError(
        'NBD_REFUSED',
        `The NBD server refuses the export "${name}": ${describeRefusal(answer.refusal)}`,
      );
  }
}

/** The way of old servers, which have no answer to an unknown name but to hang up. */
async function openByName(
  channel: OptionChannel,
  buffer: HandshakeBuffer,
  name: string,
  tail: number,
): Promise<Agreement> {
  channel.send(options.exportName, Buffer.from(name));
  const data = await buffer.take(10).catch((error: unknown) => {
    if (!(error instanceof NbdError) || error.code !== 'NBD_CONNECTION_LOST') throw error;
    const message = `The NBD server hung up when it was asked for the export "${name}": it does not have it, or wants TLS`;
    throw new NbdError('NBD_EXPORT_NOT_FOUND', message, { cause: error });
  });
  await buffer.take(tail);
  return { info: readExport(data), hasStructuredReplies: false, contexts: NO_CONTEXTS };
}

const needsTls = () =>
  new NbdError('NBD_TLS_FAILED', 'The NBD server wants TLS: write nbds: or nbds+unix: in the URI');

async function notFound(channel: OptionChannel, name: string): Promise<NbdError> {
  const { told, refusal } = await channel.ask(options.list);
  const names = told
    .filter(({ type, data }) => type === optionReplies.server && data.length >= 4)
    .map(exportNameOf);
  const shown = names
    .slice(0, SHOWN_EXPORTS)
    .map((known) => `"${known}"`)
    .join(', ');
  const more = names.length > SHOWN_EXPORTS ? ` and ${names.length - SHOWN_EXPORTS} more` : '';
  const known = names.length > 0 ? `it has ${shown}${more}` : 'it has none';
  const list = refusal === null ? known : 'it does not tell which it has';
  return new NbdError('NBD_EXPORT_NOT_FOUND', `The NBD server has no export "${name}": ${list}`);
}

function exportNameOf({ data }: { data: Buffer }): string {
  const length = data.readUInt32BE(0);
  if (length > data.length - 4) throw violation('a name of an export that is longer than its answer');
  return readableText(data.subarray(4, 4 + length));
}
