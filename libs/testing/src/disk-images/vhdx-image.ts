const REGION_TABLE = 196_608;
const METADATA = 262_144;
const ITEMS = 65_536;

const METADATA_REGION = '06a27c8b90479a4bb8fe575f050f886e';
const VIRTUAL_DISK_SIZE = '2442a52f1bcd7648b2115dbed83bf4b8';
const FILE_PARAMETERS = '3767a1ca36fa434db3b633f0aa44e76b';

/** A VHDX of 10 GiB: its table of regions and its metadata, with `changes`. */
export function aVhdxImage(
  changes: { readonly hasParent?: boolean; readonly metadataOffset?: bigint } = {},
): Buffer {
  const image = Buffer.alloc(METADATA + ITEMS + 4_096);
  image.write('vhdxfile', 0, 'latin1');

  image.write('regi', REGION_TABLE, 'latin1');
  image.writeUInt32LE(1, REGION_TABLE + 8);
  image.write(METADATA_REGION, REGION_TABLE + 16, 'hex');
  image.writeBigUInt64LE(changes.metadataOffset ?? BigInt(METADATA), REGION_TABLE + 32);

  image.write('metadata', METADATA, 'latin1');
  image.writeUInt16LE(2, METADATA + 10);
  image.write(VIRTUAL_DISK_SIZE, METADATA + 32, 'hex');
  image.writeUInt32LE(ITEMS + 8, METADATA + 48);
  image.write(FILE_PARAMETERS, METADATA + 64, 'hex');
  image.writeUInt32LE(ITEMS, METADATA + 80);

  image.writeUInt32LE(changes.hasParent === true ? 2 : 0, METADATA + ITEMS + 4);
  image.writeBigUInt64LE(10_737_418_240n, METADATA + ITEMS + 8);
  return image;
}
