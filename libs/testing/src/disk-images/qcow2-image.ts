/** The header of a qcow2 of version 3, in as many bytes as an image has at least, with `changes` made to it. */
export function aQcow2Image(
  changes: {
    readonly version?: number;
    readonly virtualSize?: bigint;
    readonly backingFileOffset?: bigint;
    readonly incompatibleFeatures?: bigint;
    readonly compatibleFeatures?: bigint;
  } = {},
): Buffer {
  const image = Buffer.alloc(65_536);
  image.writeUInt32BE(0x514649fb, 0);
  image.writeUInt32BE(changes.version ?? 3, 4);
  image.writeBigUInt64BE(changes.backingFileOffset ?? 0n, 8);
  image.writeUInt32BE(16, 20);
  image.writeBigUInt64BE(changes.virtualSize ?? 10_737_418_240n, 24);
  image.writeBigUInt64BE(changes.incompatibleFeatures ?? 0n, 72);
  image.writeBigUInt64BE(changes.compatibleFeatures ?? 0n, 80);
  image.writeUInt32BE(4, 96);
  image.writeUInt32BE(104, 100);
  return image;
}
