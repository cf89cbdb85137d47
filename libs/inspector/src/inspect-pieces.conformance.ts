import { isServiceError } from '@glimpse/contracts';
import { ContentInspector } from './content-inspector.js';
import { createFormatGuard } from './format-guard.js';
import type { Inspection } from './inspection.js';
import type { FormatRules } from './verdict/format-rules.js';

/** Glance's defaults. */
export const RULES: FormatRules = {
  requireMatch: true,
  strict: false,
  refused: [],
  vmdkAllowedTypes: ['streamOptimized', 'monolithicSparse'],
  gptSafetyChecksNonfatal: [],
};

function* piecesOf(data: Buffer, pieceBytes: number): Generator<Buffer> {
  for (let at = 0; at < data.length; at += pieceBytes) {
    // The memory of a piece is used again: nobody may hold on to it.
    const piece = Buffer.from(data.subarray(at, at + pieceBytes));
    yield piece;
    piece.fill(0xee);
  }
}

/** What an image is that comes in pieces of `pieceBytes`. */
export function inspectInPieces(data: Buffer, pieceBytes = 65_536): Inspection {
  const inspector = new ContentInspector();
  for (const piece of piecesOf(data, pieceBytes)) inspector.accept(piece);
  return inspector.finish();
}

/** What becomes of data for an image of declared formats. */
export interface Outcome {
  readonly virtualSize: number | null;
  readonly warning: string | null;
  /** Why it was refused, and null where it was not. */
  readonly refusal: string | null;
  /** Bytes that had been taken by then. */
  readonly taken: number;
}

/** What becomes of data that is uploaded in pieces of `pieceBytes`, declared as `disk_format` or `disk_format/container_format`. */
export function admit(
  declared: string,
  data: Buffer,
  { rules = {}, pieceBytes = 65_536 }: { rules?: Partial<FormatRules>; pieceBytes?: number } = {},
): Outcome {
  const [diskFormat = '', containerFormat = 'bare'] = declared.split('/');
  const guard = createFormatGuard({ diskFormat, containerFormat }, { ...RULES, ...rules });
  let taken = 0;
  try {
    for (const piece of piecesOf(data, pieceBytes)) {
      taken += piece.length;
      guard?.accept(piece);
    }
    const verdict = guard?.finish();
    return {
      virtualSize: verdict?.virtualSize ?? null,
      warning: verdict?.warning ?? null,
      refusal: null,
      taken,
    };
  } catch (error) {
    if (!isServiceError(error, 'IMAGE_FORMAT_REFUSED')) throw error;
    return { virtualSize: null, warning: null, refusal: error.message, taken };
  }
}
