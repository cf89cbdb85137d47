import type { FormatInspector } from '../format-inspector.js';
import { gpt } from './gpt.inspector.js';
import { iso } from './iso.inspector.js';
import { luks } from './luks.inspector.js';
import { qcow2 } from './qcow2.inspector.js';
import { qed } from './qed.inspector.js';
import { vdi } from './vdi.inspector.js';
import { fixedVhd, vhd } from './vhd.inspector.js';
import { vhdx } from './vhdx.inspector.js';
import { vmdk, vmdkText } from './vmdk.inspector.js';

/** Every format that is recognised; one disk format may be recognised in several ways. */
export const formatInspectors: readonly FormatInspector[] = [
  qcow2,
  qed,
  vhd,
  fixedVhd,
  vhdx,
  vmdk,
  vmdkText,
  vdi,
  iso,
  gpt,
  luks,
];
