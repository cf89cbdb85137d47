/** What the operator demands of image data; the section `formats` of the configuration. */
export interface FormatRules {
  /** Refuse data that is not of its `disk_format`. Without it such data is stored without a look at its safety. */
  readonly requireMatch: boolean;
  /** Look also into what Glance never does: containers other than `bare`, and ploop. */
  readonly strict: boolean;
  /** Formats that are refused wherever they are found. QED is, always. */
  readonly refused: readonly string[];
  /** Kinds of VMDK that are accepted. */
  readonly vmdkAllowedTypes: readonly string[];
  /** Checks of partition tables that only warn. */
  readonly gptSafetyChecksNonfatal: readonly string[];
}

/** What the owner of an image says that its data is. */
export interface DeclaredFormat {
  readonly diskFormat: string;
  readonly containerFormat: string;
}
