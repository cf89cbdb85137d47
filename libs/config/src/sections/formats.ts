import { z } from 'zod';
import { flag, words } from '../option-types.js';

const vmdkTypes = ['streamOptimized', 'monolithicSparse'] as const;
const formatNames = ['qcow2', 'qed', 'vhd', 'vhdx', 'vmdk', 'vdi', 'iso', 'gpt', 'luks'] as const;

const isOneOf = (known: readonly string[]) => (names: readonly string[]) =>
  names.every((name) => known.includes(name));

/** What image data must be to be accepted. */
export const formats = z
  .strictObject({
    requireMatch: flag()
      .default(true)
      .describe(
        "Refuse data that is not of the image's disk_format (Glance's require_image_format_match). Without it such data is stored without a look at its safety.",
      ),
    strict: flag()
      .default(false)
      .describe(
        'Look also into data that Glance stores unseen: in containers other than bare, and of the disk_format ploop.',
      ),
    refused: words()
      .refine(isOneOf(formatNames), { error: `must be of ${formatNames.join(', ')}` })
      .default([])
      .describe(
        'Formats that are refused wherever they are found, also in images declared raw. Unsafe content is refused anyway, and QED always.',
      ),
    vmdkAllowedTypes: words()
      .refine(isOneOf(vmdkTypes), {
        error: `must be of ${vmdkTypes.join(', ')}: other kinds are not one file`,
      })
      .default([...vmdkTypes])
      .describe(
        "Kinds of VMDK that are accepted, by their createType; an empty list for none (Glance's vmdk_allowed_types).",
      ),
    gptSafetyChecksNonfatal: words()
      .refine(isOneOf(['mbr']), { error: 'must be of mbr' })
      .default([])
      .describe(
        "Checks of partition tables whose failure is only logged: `mbr` accepts hybrid and empty tables (Glance's gpt_safety_checks_nonfatal).",
      ),
  })
  .prefault({});
