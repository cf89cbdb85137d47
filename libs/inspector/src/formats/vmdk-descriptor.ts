import type { Danger } from '../inspection.js';

/** What the text says that describes a VMDK. */
export interface VmdkDescriptor {
  /** The kind of VMDK; null where it is not clear. */
  readonly createType: string | null;
  readonly dangers: readonly Danger[];
}

/** The kinds that are one file and name no other. */
export const SELF_CONTAINED_TYPES: readonly string[] = ['monolithicSparse', 'streamOptimized'];

const NO_PARENT = 'ffffffff';
const PLAIN_TEXT = /^[\t\n\r\x20-\x7e]*$/;
// Programs look for these anywhere, also in comments.
const CREATE_TYPE = /createtype\s*=\s*"?([^"\n]{0,63})/g;
const PARENT_CID = /parentcid\s*=\s*(\S{0,16})/g;
const EXTENT = /^(?:rw|rdonly|noaccess)(?: |$)/;
const FIELD = /^[^ =]*=/;

const usualSpelling = (type: string) =>
  SELF_CONTAINED_TYPES.find((known) => known.toLowerCase() === type) ?? type;

function findCreateType(text: string): string | null {
  const types = [...text.matchAll(CREATE_TYPE)].map((match) => match[1]);
  return types.length === 1 && types[0] !== undefined ? usualSpelling(types[0]) : null;
}

const hasParent = (text: string) =>
  text.includes('parentfilenamehint') || [...text.matchAll(PARENT_CID)].some(([, cid]) => cid !== NO_PARENT);

/** Blank lines, comments, and the disk data base, which says nothing of files. */
const SAYS_NOTHING = /^(?:#|ddb|$)/;

function* linesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length;) {
    const newline = text.indexOf('\n', from);
    const end = newline === -1 ? text.length : newline;
    yield text.slice(from, end).trim();
    from = end + 1;
  }
}

/** What is wrong with the lines: each must be one that is known here, as those that are not may be known elsewhere. */
function findFault(text: string): string | undefined {
  let hasExtent = false;
  for (const line of linesOf(text)) {
    if (SAYS_NOTHING.test(line) || FIELD.test(line)) continue;
    if (!EXTENT.test(line)) return 'its descriptor has lines that are not known';
    if (line.includes('/')) return 'an extent of it names a path';
    hasExtent = true;
  }
  return hasExtent ? undefined : 'its descriptor names no extent';
}

/** Reads a descriptor, padded with zero bytes. */
export function parseVmdkDescriptor(bytes: Buffer): VmdkDescriptor {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  const all = bytes.toString('latin1', 0, end).toLowerCase();
  const textEnd = all.indexOf('\0');
  const text = textEnd === -1 ? all : all.slice(0, textEnd);
  const refused = (reason: string): Danger => ({ check: 'descriptor', reason });
  // qemu-img rewrites its descriptor with an identifier that may be shorter, and leaves the end of the longer one there.
  if (!PLAIN_TEXT.test(text) || (textEnd !== -1 && !text.endsWith(all.slice(textEnd + 1))))
    return { createType: null, dangers: [refused('its descriptor is no plain text')] };
  const createType = findCreateType(text);
  const fault =
    createType === null || !SELF_CONTAINED_TYPES.includes(createType)
      ? `it is of the kind "${createType ?? 'unknown'}", which is not one file`
      : findFault(text);
  return {
    createType,
    dangers: [
      ...(fault === undefined ? [] : [refused(fault)]),
      ...(hasParent(text) ? [{ check: 'parent', reason: 'it is the difference to another disk' }] : []),
    ],
  };
}
