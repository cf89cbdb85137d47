import type { ImageInspector } from '@glimpse/inspector';
import type { Stage } from './stage.js';

/** Shows a transfer to the inspector, and asks for its verdict at the end. */
export class InspectStage implements Stage {
  constructor(private readonly inspector: ImageInspector) {}

  accept(bytes: Buffer): void {
    this.inspector.accept(bytes);
  }

  /** The size of the disk in the image; null where the content doesn't tell. */
  finish(): number | null {
    return this.inspector.finish().virtualSize;
  }
}
