import type { FormatScan } from '../format-scan.js';
import { iso } from './iso.js';
import { qcow2 } from './qcow2.js';
import { vdi } from './vdi.js';
import { vhd } from './vhd.js';
import { vhdx } from './vhdx.js';
import { vmdk } from './vmdk.js';

/** Every format that is recognised, by its name as a disk_format. */
export const formatScans: readonly { readonly format: string; readonly scan: () => FormatScan }[] = [
  { format: 'qcow2', scan: qcow2 },
  { format: 'vhd', scan: vhd },
  { format: 'vhdx', scan: vhdx },
  { format: 'vmdk', scan: vmdk },
  { format: 'vdi', scan: vdi },
  { format: 'iso', scan: iso },
];
