/** The disk formats that can be recognised, by their names as a `disk_format`; what is none of them is raw. */
export type FormatName = 'qcow2' | 'qed' | 'vhd' | 'vhdx' | 'vmdk' | 'vdi' | 'iso' | 'gpt' | 'luks';

/** What else content can be: how it is packed, or a part of a machine that is no disk. All of it counts as raw. */
export type ContentName =
  'gzip' | 'xz' | 'zstd' | 'bzip2' | 'zip' | 'lha' | 'tar' | 'ova' | 'ploop' | 'aki' | 'ari' | 'ami';

/** Why content must not be handed to a program that knows its format. */
export interface Danger {
  /** The check that failed, by Glance's name where it has one: `backing_file`, `data_file`, `descriptor`, … */
  readonly check: string;
  /** What is wrong, for people. */
  readonly reason: string;
}

/** One disk format that content is, and what it says of itself. */
export interface FoundFormat {
  readonly format: FormatName;
  /** Its kind, e.g. `v3` of qcow2, `streamOptimized` of vmdk, `fixed` of vhd; null where there is only one. */
  readonly subformat: string | null;
  /** Bytes of the disk in the image; null where the image doesn't tell. */
  readonly virtualSize: number | null;
  /** Empty where it is safe. */
  readonly dangers: readonly Danger[];
  /** Whether the content ends before what has to be looked at: then nobody can say that it is safe. */
  readonly isIncomplete: boolean;
}

/** What the content of an image is, whatever its owner says. */
export interface Inspection {
  /** Bytes of the content. */
  readonly size: number;
  /** Every disk format that it is; none for raw. Several are a contradiction, but for the pairs that `judge` knows. */
  readonly found: readonly FoundFormat[];
  /** What else it is; null where nothing is known. */
  readonly content: ContentName | null;
}
