import type { InspectionSoFar, SeenFormat } from '../content-inspector.js';
import type { FormatName, Inspection } from '../inspection.js';
import { findContainerMismatch } from './container-rules.js';
import { findDanger, findToleratedDanger } from './dangers.js';
import type { DeclaredFormat, FormatRules } from './format-rules.js';
import type { Verdict } from './verdict.js';

/** The disk formats of which data can be told that it is none. */
const RECOGNISABLE: ReadonlySet<string> = new Set([
  'raw',
  'qcow2',
  'qed',
  'vhd',
  'vhdx',
  'vmdk',
  'vdi',
  'iso',
  'gpt',
  'luks',
] satisfies (FormatName | 'raw')[]);

const INCOMPLETE = 'Incomplete file cannot be safety checked';

/** What data counts as that is of these formats; null where they contradict each other. */
function countedAs(seen: readonly SeenFormat[], diskFormat: string): SeenFormat | 'raw' | null {
  const [first, second, ...more] = seen;
  if (first === undefined) return 'raw';
  if (second === undefined) return first;
  const disk = seen.find(({ format }) => format === 'gpt');
  const other = first === disk ? second : first;
  if (disk === undefined || more.length > 0) return null;
  // A hybrid: an ISO with a boot sector in front, that can be written to a stick as well.
  if (other.format === 'iso') return other;
  // A raw disk with a footer behind it.
  if (other.found?.subformat === 'fixed') return diskFormat === 'vhd' ? other : disk;
  return null;
}

const nameOf = (counted: SeenFormat | 'raw') => (counted === 'raw' ? 'raw' : counted.format);

/** Whether the data is of the declared format, as far as that can be told. */
function isAsDeclared(format: string, { diskFormat, containerFormat }: DeclaredFormat): boolean {
  if (containerFormat !== 'bare' || diskFormat === 'raw') return true;
  return format === diskFormat || (format === 'raw' && !RECOGNISABLE.has(diskFormat));
}

/** Why the data is not what was declared, in Glance's words; null where it is. */
function findMismatch(soFar: InspectionSoFar, declared: DeclaredFormat, rules: FormatRules): string | null {
  const counted = countedAs(soFar.seen, declared.diskFormat);
  if (counted === null)
    return `Multiple formats detected: ${soFar.seen.map(({ format }) => format).join(',')}`;
  if (!isAsDeclared(nameOf(counted), declared))
    return `Image disk_format ${declared.diskFormat} does not match stream data ${nameOf(counted)}`;
  return rules.strict ? findContainerMismatch(soFar.content, declared) : null;
}

/** Whether only the end of the data tells that it is of the declared format, as with a disk that has a footer. */
function isUndecided({ seen, possible }: InspectionSoFar, { diskFormat }: DeclaredFormat): boolean {
  return possible.some((name) => name === diskFormat) && seen.every(({ format }) => format === 'gpt');
}

/** Why data must not be accepted, by what is known of it; null where nothing speaks against it yet. */
export function findRefusal(
  soFar: InspectionSoFar,
  declared: DeclaredFormat,
  rules: FormatRules,
): string | null {
  const banned = soFar.seen.find(({ format }) => rules.refused.includes(format));
  if (banned !== undefined) return `Images of the format ${banned.format} are not accepted`;
  const counted = countedAs(soFar.seen, declared.diskFormat);
  if (isUndecided(soFar, declared)) return null;
  const mismatch = findMismatch(soFar, declared, rules);
  if (mismatch !== null) return rules.requireMatch ? mismatch : null;
  if (counted === null || counted === 'raw' || counted.found === undefined) return null;
  if (counted.found.isIncomplete) return rules.requireMatch ? INCOMPLETE : null;
  return findDanger(counted.found, declared, rules);
}

type Counted = ReturnType<typeof countedAs>;

function virtualSizeOf(
  counted: Counted,
  size: number,
  { diskFormat, containerFormat }: DeclaredFormat,
): number | null {
  if (containerFormat !== 'bare') return null;
  // What is declared raw counts with all its bytes, whatever it looks like.
  if (diskFormat === 'raw') return size === 0 ? null : size;
  return counted === null || counted === 'raw' ? null : (counted.found?.virtualSize ?? null);
}

function findWarning(counted: Counted, declared: DeclaredFormat, rules: FormatRules): string | null {
  if (counted === null || counted === 'raw' || counted.found === undefined) return null;
  const { diskFormat, containerFormat } = declared;
  const isOther = containerFormat === 'bare' && counted.format !== diskFormat;
  return isOther
    ? `The data of an image declared ${diskFormat} is ${counted.format}`
    : findToleratedDanger(counted.found, declared, rules);
}

/** What follows from an inspection for an image that is declared to be of certain formats (spec/image-formats.md section 4). */
export function judge(inspection: Inspection, declared: DeclaredFormat, rules: FormatRules): Verdict {
  const { size, found, content } = inspection;
  const seen = found.map((each) => ({ format: each.format, found: each }));
  const all: InspectionSoFar = { seen, possible: [], content };
  const counted = countedAs(seen, declared.diskFormat);
  const mismatch = findMismatch(all, declared, rules);
  return {
    format: counted === null ? null : nameOf(counted),
    virtualSize: mismatch === null ? virtualSizeOf(counted, size, declared) : null,
    refusal: findRefusal(all, declared, rules),
    warning: mismatch ?? findWarning(counted, declared, rules),
  };
}
