import type { DataInspector, Verdict } from '@glimpse/inspector';
import type { Stage } from './stage.js';

/** Shows a transfer to the inspector, which ends it where the data is not acceptable (`IMAGE_FORMAT_REFUSED`). */
export class InspectStage implements Stage {
  private verdict: Verdict | undefined;

  constructor(private readonly inspector: DataInspector) {}

  accept(bytes: Buffer): void {
    this.inspector.accept(bytes);
  }

  /** The data has come to its end; before this nothing may be published. */
  finish(): void {
    this.verdict = this.inspector.finish();
  }

  /** The size of the disk in the image; null where the content doesn't tell. */
  get virtualSize(): number | null {
    return this.verdict?.virtualSize ?? null;
  }

  /** What is odd about data that is accepted all the same; null where nothing is. */
  get warning(): string | null {
    return this.verdict?.warning ?? null;
  }
}
