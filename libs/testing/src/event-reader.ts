import { waitFor } from './wait-for.js';

/** A message of server-sent events. */
export interface ReceivedEvent {
  readonly event: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A client of server-sent events that keeps what it gets. */
export class EventReader {
  readonly events: ReceivedEvent[] = [];
  /** Lines that are no messages: comments, and how long to wait before another try. */
  readonly remarks: string[] = [];
  isEnded = false;
  private text = '';

  private constructor(
    readonly response: Response,
    private readonly gone: AbortController,
  ) {}

  /** Resolves when the head of the answer is there, whatever its status. Whoever opens it closes it. */
  static async open(url: string, headers: Readonly<Record<string, string>> = {}): Promise<EventReader> {
    const gone = new AbortController();
    const response = await fetch(url, {
      headers: { accept: 'text/event-stream', ...headers },
      signal: gone.signal,
    });
    const reader = new EventReader(response, gone);
    void reader.read();
    return reader;
  }

  get status(): number {
    return this.response.status;
  }

  /** The data of the events of that name. */
  dataOf(event: string): ReceivedEvent['data'][] {
    return this.events.filter((one) => one.event === event).map(({ data }) => data);
  }

  /** Waits for an event of that name whose data is as `isMeant` says, and answers with it. */
  expect(
    event: string,
    isMeant: (data: ReceivedEvent['data']) => boolean = () => true,
    timeoutMs = 20_000,
  ): Promise<ReceivedEvent['data']> {
    return waitFor(`an event ${event}`, () => this.dataOf(event).find(isMeant), timeoutMs);
  }

  /** Waits until the service has ended the stream. */
  async end(timeoutMs = 20_000): Promise<void> {
    await waitFor('the end of the stream', () => this.isEnded, timeoutMs);
  }

  close(): void {
    this.gone.abort();
  }

  private async read(): Promise<void> {
    const decoder = new TextDecoder();
    try {
      for await (const chunk of this.response.body ?? []) this.take(decoder.decode(chunk, { stream: true }));
    } catch (error) {
      if (!this.gone.signal.aborted) this.remarks.push(String(error));
    }
    this.isEnded = true;
  }

  private take(text: string): void {
    this.text += text;
    const blocks = this.text.split('\n\n');
    this.text = blocks.pop() ?? '';
    for (const block of blocks) this.takeBlock(block);
  }

  private takeBlock(block: string): void {
    const fields = new Map(block.split('\n').map((line) => splitField(line)));
    const data = fields.get('data');
    if (data === undefined) this.remarks.push(block);
    else
      this.events.push({
        event: fields.get('event') ?? 'message',
        id: fields.get('id') ?? '',
        data: JSON.parse(data) as ReceivedEvent['data'],
      });
  }
}

function splitField(line: string): [string, string] {
  const colon = line.indexOf(': ');
  return [line.slice(0, colon), line.slice(colon + 2)];
}
