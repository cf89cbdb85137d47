import { Injectable } from '@nestjs/common';

/** Tells the relay of this process that there is something to publish, so that it need not wait for its next look. */
@Injectable()
export class OutboxSignal {
  private listener: () => void = () => undefined;

  raise(): void {
    this.listener();
  }

  /** The last listener counts. */
  onRaise(listener: () => void): void {
    this.listener = listener;
  }
}
