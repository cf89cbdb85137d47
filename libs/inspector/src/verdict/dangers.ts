import type { Danger, FoundFormat } from '../inspection.js';
import type { DeclaredFormat, FormatRules } from './format-rules.js';

/** A kernel or a ramdisk may begin with a boot sector, and has no partitions. */
const MAY_LACK_PARTITIONS: ReadonlySet<string> = new Set(['aki', 'ari']);

/** Whether a partition table may be wrong: where the operator said so, and where none is needed. */
const isTolerated = (
  { format }: FoundFormat,
  { check }: Danger,
  { diskFormat, containerFormat }: DeclaredFormat,
  { gptSafetyChecksNonfatal }: FormatRules,
): boolean =>
  format === 'gpt' &&
  (containerFormat !== 'bare' ||
    MAY_LACK_PARTITIONS.has(diskFormat) ||
    gptSafetyChecksNonfatal.includes(check));

function dangersOf(found: FoundFormat, { vmdkAllowedTypes }: FormatRules): readonly Danger[] {
  const { format, subformat, dangers } = found;
  if (format !== 'vmdk' || subformat === null || dangers.length > 0) return dangers;
  return vmdkAllowedTypes.includes(subformat)
    ? []
    : [{ check: 'descriptor', reason: `VMDKs of the kind "${subformat}" are not accepted` }];
}

const told = (found: FoundFormat, dangers: readonly Danger[]): string | null =>
  dangers.length === 0
    ? null
    : `${found.format} ${dangers.map(({ check, reason }) => `${check}: ${reason}`).join('; ')}`;

/** Why the data is not safe, with Glance's words in front; null where it is. */
export function findDanger(found: FoundFormat, declared: DeclaredFormat, rules: FormatRules): string | null {
  const fatal = dangersOf(found, rules).filter((danger) => !isTolerated(found, danger, declared, rules));
  const reasons = told(found, fatal);
  return reasons === null ? null : `Image failed safety checks: ${reasons}`;
}

/** What is wrong with data that is accepted all the same; null where nothing is. */
export function findToleratedDanger(
  found: FoundFormat,
  declared: DeclaredFormat,
  rules: FormatRules,
): string | null {
  return told(
    found,
    dangersOf(found, rules).filter((danger) => isTolerated(found, danger, declared, rules)),
  );
}
