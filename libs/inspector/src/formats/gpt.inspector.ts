import type { FormatInspector } from '../format-inspector.js';
import type { Danger } from '../inspection.js';

const SECTOR_BYTES = 512;
const BOOT_SIGNATURE = 0xaa55;
const FIRST_ENTRY = 446;
const ENTRY_BYTES = 16;
const PROTECTIVE = 0xee;
const BOOT_FLAGS: ReadonlySet<number> = new Set([0x00, 0x80]);
/** Head 0, sector 2, cylinder 0: where the protective partition begins by the GPT's definition. */
const PROTECTIVE_START = '000200';

/** The boot sector of a FAT file system on a hard disk has the signature too. */
const isFat = (sector: Buffer) => sector[16] === 2 && sector[21] === 0xf8;

const entriesOf = (sector: Buffer): readonly Buffer[] =>
  [0, 1, 2, 3].map((index) =>
    sector.subarray(FIRST_ENTRY + index * ENTRY_BYTES, FIRST_ENTRY + (index + 1) * ENTRY_BYTES),
  );

const typeOf = (entry: Buffer) => entry.readUInt8(4);

/** What is wrong with the partition table, if anything is. */
function findFault(entries: readonly Buffer[]): string | undefined {
  if (entries.some((entry) => !BOOT_FLAGS.has(entry.readUInt8(0))))
    return 'a partition has an invalid boot flag';
  const used = entries.filter((entry) => typeOf(entry) !== 0);
  if (used.length === 0) return 'the partition table is empty';
  const protective = used.filter((entry) => typeOf(entry) === PROTECTIVE);
  if (protective.length === 0) return undefined;
  const isWhereItBelongs = protective.every(
    (entry) => entry.toString('hex', 1, 4) === PROTECTIVE_START && entry.readUInt32LE(8) === 1,
  );
  if (!isWhereItBelongs) return 'the protective partition does not begin where it must';
  return used.length === 1 && used[0] === entries[0]
    ? undefined
    : 'the protective partition is not the first and only one';
}

/** Whole disks with a boot signature: with an MBR's partition table, a GPT's protective one, or what looks like it. */
export const gpt: FormatInspector = {
  format: 'gpt',
  matches: (head) =>
    head.length >= SECTOR_BYTES && head.readUInt16LE(SECTOR_BYTES - 2) === BOOT_SIGNATURE && !isFat(head),
  *examine() {
    const sector = yield { offset: 0, length: SECTOR_BYTES };
    const entries = entriesOf(sector);
    const fault = findFault(entries);
    const dangers: Danger[] = fault === undefined ? [] : [{ check: 'mbr', reason: fault }];
    return {
      subformat: entries.some((entry) => typeOf(entry) === PROTECTIVE) ? 'gpt' : 'mbr',
      virtualSize: (imageBytes) => imageBytes,
      dangers,
    };
  },
};
