const FOOTER_BYTES = 512;

const kinds = { fixed: 2, dynamic: 3, differencing: 4 } as const;

/** What stands at the end of every VHD, and at the beginning of those that are not fixed. */
export function vhdFooter(kind: keyof typeof kinds, virtualSize: bigint): Buffer {
  const footer = Buffer.alloc(FOOTER_BYTES);
  footer.write('conectix', 0, 'latin1');
  footer.writeUInt32BE(2, 8);
  footer.writeUInt32BE(0x0001_0000, 12);
  footer.writeBigUInt64BE(virtualSize, 40);
  footer.writeBigUInt64BE(virtualSize, 48);
  footer.writeUInt32BE(kinds[kind], 60);
  const sum = footer.reduce((total, byte) => total + byte, 0);
  footer.writeUInt32BE(~sum >>> 0, 64);
  return footer;
}

/** A VHD that grows, of 10 GiB. */
export function aVhdImage(kind: 'dynamic' | 'differencing' = 'dynamic'): Buffer {
  const footer = vhdFooter(kind, 10_737_418_240n);
  return Buffer.concat([footer, Buffer.from('cxsparse'), Buffer.alloc(65_536), footer]);
}

/** A raw disk with a footer behind it. */
export function aFixedVhd(disk: Buffer = Buffer.alloc(65_536)): Buffer {
  return Buffer.concat([disk, vhdFooter('fixed', BigInt(disk.length))]);
}
