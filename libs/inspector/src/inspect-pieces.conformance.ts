import { createInspector } from './image-inspector.js';

/** What the inspector finds in a bare image that comes in pieces of `pieceBytes`. */
export function inspect(diskFormat: string, data: Buffer, pieceBytes = 65_536) {
  const inspector = createInspector({ diskFormat, containerFormat: 'bare' })!;
  for (let at = 0; at < data.length; at += pieceBytes) {
    // The memory of a piece is used again: the inspector must not hold on to it.
    const piece = Buffer.from(data.subarray(at, at + pieceBytes));
    inspector.accept(piece);
    piece.fill(0xee);
  }
  return inspector.finish();
}
