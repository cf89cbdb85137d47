import { strike, withoutLongWords } from './without-secrets.js';

/** What may be written down of a message that could not be carried out. */
export interface KeptMessage {
  readonly text: string;
  /** What is not as it was sent, and was needed: where the list is not empty, to carry it out again makes no sense. */
  readonly lost: readonly string[];
}

/** The token of oslo.messaging's context, which only counts where nobody is trusted. */
export const CONTEXT_TOKEN = '_context_auth_token';

const MAX_KEPT_BYTES = 4_096;
const MAX_NAMED = 5;

/** A document that was read; `enclose` puts it back into the envelope that it came in. */
export function keptDocument(
  document: unknown,
  enclose: (inner: unknown) => unknown = (inner) => inner,
): KeptMessage {
  const { kept, struck } = strike(document);
  return { text: JSON.stringify(enclose(kept)), lost: struck };
}

/** The beginning of what nobody can read. */
export function keptText(bytes: Buffer): KeptMessage {
  const text = withoutLongWords(bytes.toString('utf8', 0, MAX_KEPT_BYTES));
  return { text, lost: Buffer.from(text).equals(bytes) ? [] : ['the text'] };
}

/** Why it makes no sense to carry out again what is kept, in words for the operator; null where it does. */
export function whyNotReplayable(lost: readonly string[]): string | null {
  if (lost.length === 0) return null;
  const more = lost.length > MAX_NAMED ? ` and ${lost.length - MAX_NAMED} more` : '';
  const named = lost.slice(0, MAX_NAMED).join(', ');
  return `Not kept as it was sent, since there may be secrets in it: ${named}${more}. Let its sender repeat it`;
}
