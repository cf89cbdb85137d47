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

/** What is wrong with the lines: each must be one that is known here, as those that are not may be known elsewhere. */
function findFault(text: string): string | undefined {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('ddb'));
  const others = lines.filter((line) => !FIELD.test(line));
  const extents = others.filter((line) => EXTENT.test(line));
  if (extents.length < others.length) return 'its descriptor has lines that are not known';
  if (extents.length === 0) return 'its descriptor names no extent';
  return extents.some((line) => line.includes('/')) ? 'an extent of it names a path' : undefined;
}

/** Reads a descriptor, padded with zero bytes. */
export function parseVmdkDescriptor(bytes: Buffer): VmdkDescriptor {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  const text = bytes.toString('latin1', 0, end).toLowerCase();
  const refused = (reason: string): Danger => ({ check: 'descriptor', reason });
  if (!PLAIN_TEXT.test(text))
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
