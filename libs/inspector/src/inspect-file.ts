import { open } from 'node:fs/promises';
import { ContentInspector } from './content-inspector.js';
import { TAIL_BYTES } from './format-inspector.js';
import type { Inspection } from './inspection.js';

const PIECE_BYTES = 65_536;

/** Inspects a local file; reads only those parts of it that tell something. Rejects where it can't be read. */
export async function inspectFile(path: string): Promise<Inspection> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const inspector = new ContentInspector();
    const memory = Buffer.allocUnsafeSlow(PIECE_BYTES);
    const tailStart = Math.max(0, size - TAIL_BYTES);
    let offset = 0;
    while (offset < size) {
      offset = Math.max(offset, Math.min(inspector.nextByte ?? tailStart, tailStart));
      inspector.skipTo(offset);
      const { bytesRead } = await file.read(memory, 0, PIECE_BYTES, offset);
      if (bytesRead === 0) break;
      inspector.accept(memory.subarray(0, bytesRead));
      offset += bytesRead;
    }
    return inspector.finish();
  } finally {
    await file.close();
  }
}
