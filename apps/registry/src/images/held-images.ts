import type { Transaction } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { imageNotFound } from '../policy/policy.engine.js';
import { ImageReader } from './image-reader.js';
import type { StoredImage } from './stored-image.js';

/** Where every change of an image begins. */
@Injectable()
export class HeldImages {
  constructor(private readonly reader: ImageReader) {}

  /**
   * The image as it is now, which no other transaction that holds it changes before this one has ended. Throws
   * IMAGE_NOT_FOUND.
   */
  async hold(tx: Transaction, id: string): Promise<StoredImage> {
    const held = await tx.execute('UPDATE images SET updated_at = updated_at WHERE id = ? AND deleted = 0', [
      id,
    ]);
    const stored = held === 1 ? await this.reader.findIn(tx, id) : undefined;
    if (stored === undefined) throw imageNotFound(id);
    return stored;
  }
}
