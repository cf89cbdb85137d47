/** A message in the in-process broker. Its body is text: nobody shares an object with anybody. */
export interface MemoryMessage {
  readonly body: string;
  /** Epoch milliseconds after which it is thrown away instead of delivered. */
  readonly expiresAt?: number;
  readonly attempt?: number;
  readonly isRedelivered?: boolean;
  /** Takes answers to it. */
  readonly reply?: (body: string) => void;
}

/** One taker of a queue's messages. */
export class MemoryConsumer {
  readonly unacknowledged = new Set<MemoryMessage>();

  constructor(
    readonly prefetch: number,
    readonly take: (message: MemoryMessage, acknowledge: () => void) => void,
  ) {}

  get hasRoom(): boolean {
    return this.unacknowledged.size < this.prefetch;
  }
}

/** Messages in order, delivered to competing consumers in turn, each holding at most its prefetch. */
export class MemoryQueue {
  private messages: MemoryMessage[] = [];
  private readonly consumers: MemoryConsumer[] = [];
  private isDispatchScheduled = false;

  push(message: MemoryMessage): void {
    this.messages.push(message);
    this.scheduleDispatch();
  }

  add(consumer: MemoryConsumer): void {
    this.consumers.push(consumer);
    this.scheduleDispatch();
  }

  /** It gets nothing more; what it has it can still acknowledge. */
  remove(consumer: MemoryConsumer): void {
    const index = this.consumers.indexOf(consumer);
    if (index >= 0) this.consumers.splice(index, 1);
  }

  /** What the consumer has not acknowledged goes back to the front. */
  requeue(consumer: MemoryConsumer): void {
    const returned = [...consumer.unacknowledged].map((message) => ({ ...message, isRedelivered: true }));
    consumer.unacknowledged.clear();
    this.messages.unshift(...returned);
    this.scheduleDispatch();
  }

  private scheduleDispatch(): void {
    if (this.isDispatchScheduled) return;
    this.isDispatchScheduled = true;
    queueMicrotask(() => {
      this.isDispatchScheduled = false;
      this.dispatch();
    });
  }

  private dispatch(): void {
    let delivered = 0;
    while (delivered < this.messages.length) {
      const consumer = this.nextConsumer();
      if (consumer === undefined) break;
      const message = this.messages[delivered]!;
      delivered += 1;
      if (message.expiresAt === undefined || message.expiresAt > Date.now()) this.deliver(message, consumer);
    }
    this.messages.splice(0, delivered);
  }

  private deliver(message: MemoryMessage, consumer: MemoryConsumer): void {
    consumer.unacknowledged.add(message);
    consumer.take(message, () => {
      if (consumer.unacknowledged.delete(message)) this.scheduleDispatch();
    });
  }

  /** The first with room, which then goes to the end of the line. */
  private nextConsumer(): MemoryConsumer | undefined {
    const index = this.consumers.findIndex((consumer) => consumer.hasRoom);
    if (index < 0) return undefined;
    const [consumer] = this.consumers.splice(index, 1);
    this.consumers.push(consumer!);
    return consumer;
  }
}
