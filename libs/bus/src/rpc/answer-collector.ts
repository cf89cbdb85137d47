import { MAX_MESSAGE_BYTES, type RequestDelivery } from '../transport.js';
import { answerBody } from './wire.js';

/** Beyond this, answers of the same turn travel in several messages. */
const ANSWER_MESSAGE_BYTES = 1024 * 1024;

/** The answers to one envelope: those that are ready in the same turn of the event loop travel together. */
export class AnswerCollector {
  private ready: string[] = [];
  private readyBytes = 0;
  private isFlushScheduled = false;

  constructor(
    private readonly delivery: RequestDelivery,
    private unanswered: number,
    private readonly onDone: () => void,
  ) {}

  /** Whether an answer of that many bytes fits into a message. */
  static fits(text: string): boolean {
    return Buffer.byteLength(text) < MAX_MESSAGE_BYTES;
  }

  add(text: string): void {
    if (this.readyBytes + text.length > ANSWER_MESSAGE_BYTES) this.send();
    this.ready.push(text);
    this.readyBytes += text.length;
    this.unanswered -= 1;
    if (this.isFlushScheduled) return;
    this.isFlushScheduled = true;
    setImmediate(() => this.flush());
  }

  private flush(): void {
    this.isFlushScheduled = false;
    this.send();
    if (this.unanswered > 0) return;
    this.delivery.done();
    this.onDone();
  }

  private send(): void {
    if (this.ready.length === 0) return;
    this.delivery.answer(answerBody(this.ready));
    this.ready = [];
    this.readyBytes = 0;
  }
}
