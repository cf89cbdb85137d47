import type { ServerResponse } from 'node:http';

/** How often a silent stream says that it lives; proxies close what is silent for a minute. */
const COMMENT_EVERY_MS = 15_000;
/** A client that takes nothing for so long is gone. */
const STALLED_AFTER_MS = 60_000;
/** After this a client connects again whose stream broke off, in milliseconds. */
const RETRY_MS = 2_000;

/** A message of server-sent events. `data` has no line breaks of its own. */
export interface ServerEvent {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

const render = ({ event, id, data }: ServerEvent) => `event: ${event}\nid: ${id}\ndata: ${data}\n\n`;

/**
 * The answer to one client as server-sent events. Nothing is buffered for a client that reads slowly: of each subject it
 * gets the latest message when it has taken what was sent before.
 */
export class EventStream {
  private readonly waiting = new Map<string, string>();
  private readonly comments: NodeJS.Timeout;
  private stalled: NodeJS.Timeout | undefined;

  /** The head of the answer was not written yet; `onClosed` is called once, whoever closes. */
  constructor(
    private readonly response: ServerResponse,
    onClosed: () => void,
  ) {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      // Nginx would gather the messages.
      'x-accel-buffering': 'no',
    });
    response.write(`retry: ${RETRY_MS}\n\n`);
    this.comments = setInterval(() => this.comment(), COMMENT_EVERY_MS).unref();
    response.on('drain', () => this.flush());
    response.once('close', () => {
      clearInterval(this.comments);
      clearTimeout(this.stalled);
      onClosed();
    });
  }

  /** Sends it as soon as the client takes it, unless a later one of the same subject comes before. */
  send(subject: string, event: ServerEvent): void {
    this.waiting.delete(subject);
    this.waiting.set(subject, render(event));
    this.flush();
  }

  /** The last message, and the end of the answer. */
  end(event?: ServerEvent): void {
    if (this.response.writableEnded || this.response.destroyed) return;
    // A client that has not taken the last messages does not get to see why there are no more.
    if (this.response.writableNeedDrain) this.response.destroy();
    else this.response.end(event === undefined ? undefined : render(event));
  }

  private comment(): void {
    if (!this.response.writableNeedDrain && !this.response.writableEnded) this.response.write(': alive\n\n');
  }

  private flush(): void {
    for (const [subject, text] of this.waiting) {
      if (this.response.writableNeedDrain || this.response.writableEnded) break;
      this.waiting.delete(subject);
      this.response.write(text);
    }
    this.watchStall();
  }

  private watchStall(): void {
    if (!this.response.writableNeedDrain) {
      clearTimeout(this.stalled);
      this.stalled = undefined;
    } else this.stalled ??= setTimeout(() => this.response.destroy(), STALLED_AFTER_MS).unref();
  }
}
