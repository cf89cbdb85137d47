import { imageSamples } from './image-samples.js';
import type { SeededRandom } from './seeded-random.js';

/** Where the fields lie that decide: headers, the descriptor of a VMDK, the tables of a VHDX, an ISO's volume. */
const FIELDS: readonly [number, ...number[]] = [0, 0, 0, 512, 1_024, 32_768, 196_608, 262_144, 327_680];
const FIELD_BYTES = 512;

const NUMBERS: readonly [bigint, ...bigint[]] = [
  0n,
  1n,
  2n,
  0x7fn,
  0xffn,
  0x1ffn,
  0x800n,
  0xffffn,
  0x7fff_ffffn,
  0xffff_ffffn,
  0x1f_ffff_ffff_ffffn,
  0x7fff_ffff_ffff_ffffn,
  0xffff_ffff_ffff_ffffn,
];

const WORDS: readonly [string, ...string[]] = [
  'createType="',
  'createType="monolithicFlat"',
  'RW 1 FLAT "/etc/passwd" 0\n',
  'parentCID=00000000\n',
  'parentFileNameHint="/etc/passwd"\n',
  'version=1\n',
  '#',
  '\n',
  '\0',
  '=',
  '"',
  'QFI\xfb',
  'KDMV',
  'conectix',
  'vhdxfile',
  'regi',
  'metadata',
  'CD001',
  'LUKS\xba\xbe',
  'QED\0',
  '\x55\xaa',
];

type Mutation = (image: Buffer, random: SeededRandom) => Buffer;

function positionIn(image: Buffer, random: SeededRandom): number {
  const isFromEnd = random.below(8) === 0;
  const at = isFromEnd
    ? image.length - 1_536 + random.below(1_536)
    : random.oneOf(FIELDS) + random.below(FIELD_BYTES);
  return Math.max(0, Math.min(at, image.length - 1));
}

const mutations: readonly [Mutation, ...Mutation[]] = [
  (image, random) => {
    const at = positionIn(image, random);
    image[at] = (image[at] ?? 0) ^ (1 << random.below(8));
    return image;
  },
  (image, random) => {
    image[positionIn(image, random)] = random.below(256);
    return image;
  },
  (image, random) => {
    const number = Buffer.alloc(8);
    if (random.below(2) === 0) number.writeBigUInt64BE(random.oneOf(NUMBERS));
    else number.writeBigUInt64LE(random.oneOf(NUMBERS));
    number.copy(image, positionIn(image, random) & ~3);
    return image;
  },
  (image, random) => {
    image.write(random.oneOf(WORDS), positionIn(image, random), 'latin1');
    return image;
  },
  (image, random) => {
    const from = positionIn(image, random);
    image.copyWithin(positionIn(image, random), from, from + random.below(FIELD_BYTES));
    return image;
  },
  (image, random) =>
    image.subarray(0, random.below(4) === 0 ? random.below(700) : random.below(image.length + 1)),
  (image, random) => {
    const from = positionIn(image, random);
    return Buffer.concat([image.subarray(0, from), image.subarray(from + random.below(64))]);
  },
  (image, random) => {
    const other = random.oneOf(imageSampleList);
    const from = random.below(other.length);
    other.copy(image, from, from, from + random.below(FIELD_BYTES * 4));
    return image;
  },
];

const imageSampleList = imageSamples();

/** An image that is damaged, or made to do harm, in one to six ways. */
export function aHostileImage(random: SeededRandom): Buffer {
  let image: Buffer = Buffer.from(random.oneOf(imageSampleList));
  for (let left = 1 + random.below(6); left > 0 && image.length > 0; left--)
    image = random.oneOf(mutations)(image, random);
  return image;
}
