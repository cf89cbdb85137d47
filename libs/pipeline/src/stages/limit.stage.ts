import { ServiceError } from '@glimpse/contracts';
import type { Stage } from './stage.js';

/**
 * Ends a transfer that grows beyond the cap (`QUOTA_EXCEEDED`) or that has more or fewer bytes than announced
 * (`IMAGE_SIZE_MISMATCH`).
 */
export class LimitStage implements Stage {
  private received = 0;

  constructor(
    private readonly sizeCap: number,
    private readonly expectedSize: number | undefined,
  ) {
    if (expectedSize !== undefined) this.refuseAbove(expectedSize);
  }

  get size(): number {
    return this.received;
  }

  accept(bytes: Buffer): void {
    this.received += bytes.length;
    this.refuseAbove(this.received);
    if (this.expectedSize !== undefined && this.received > this.expectedSize)
      throw this.mismatch('Size exceeds');
  }

  finish(): void {
    if (this.expectedSize !== undefined && this.received !== this.expectedSize)
      throw this.mismatch('Size mismatch');
  }

  private refuseAbove(size: number): void {
    if (size > this.sizeCap)
      throw new ServiceError('QUOTA_EXCEEDED', `The image is larger than the limit of ${this.sizeCap} bytes`);
  }

  private mismatch(what: string): ServiceError {
    return new ServiceError(
      'IMAGE_SIZE_MISMATCH',
      `${what}: expected ${this.expectedSize} bytes, got ${this.received} bytes`,
    );
  }
}
