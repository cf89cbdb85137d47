import { isDeepStrictEqual } from 'node:util';
import type { Config } from '@glimpse/config';
import { isServiceError } from '@glimpse/contracts';
import { ContentInspector, type Inspection, createFormatGuard, judge } from '@glimpse/inspector';
import type { SeededRandom } from './seeded-random.js';

const DECLARED: readonly [string, ...string[]] = [
  'raw',
  'qcow2',
  'vhd',
  'vhdx',
  'vmdk',
  'vdi',
  'iso',
  'gpt',
  'luks',
  'ploop',
];

function inspect(image: Buffer, pieceBytes: number): Inspection {
  const inspector = new ContentInspector();
  for (let at = 0; at < image.length; at += pieceBytes) inspector.accept(image.subarray(at, at + pieceBytes));
  return inspector.finish();
}

function refusalOf(
  image: Buffer,
  diskFormat: string,
  rules: Config['formats'],
  pieceBytes: number,
): string | null {
  const guard = createFormatGuard({ diskFormat, containerFormat: 'bare' }, rules);
  try {
    for (let at = 0; at < image.length; at += pieceBytes) guard?.accept(image.subarray(at, at + pieceBytes));
    return guard?.finish().refusal ?? null;
  } catch (error) {
    if (isServiceError(error, 'IMAGE_FORMAT_REFUSED')) return error.message;
    throw error;
  }
}

const isSize = (size: number | null) => size === null || (Number.isSafeInteger(size) && size > 0);

/**
 * Inspects an image in ways that must come to the same, and throws where they don't: whole and in pieces, at its end and
 * while it comes. Returns whether it was refused.
 */
export function inspectHostileImage(image: Buffer, random: SeededRandom, rules: Config['formats']): boolean {
  const pieceBytes = random.oneOf([257, 4_099, 16_384, 65_536, 65_537, 1_048_576]);
  const whole = inspect(image, 1_048_576);
  if (!isDeepStrictEqual(inspect(image, pieceBytes), whole))
    throw new Error(`In pieces of ${pieceBytes} bytes it is something else`);
  for (const { virtualSize } of whole.found)
    if (!isSize(virtualSize)) throw new Error(`A size of ${virtualSize} is none`);

  const diskFormat = random.below(2) === 0 ? (whole.found[0]?.format ?? 'raw') : random.oneOf(DECLARED);
  const { refusal } = judge(whole, { diskFormat, containerFormat: 'bare' }, rules);
  const early = refusalOf(image, diskFormat, rules, pieceBytes);
  if ((early === null) !== (refusal === null))
    throw new Error(`Declared ${diskFormat}: while it comes "${early}", at its end "${refusal}"`);
  return refusal !== null;
}
