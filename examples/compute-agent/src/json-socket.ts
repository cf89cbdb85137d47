import { type Socket, connect } from 'node:net';
import { AgentError } from './agent-error.js';
import { type Answer, COMMAND_TIMEOUT_MS, type CommandOptions, type Commands, returnOf } from './commands.js';

type Message = Answer & { readonly QMP?: unknown; readonly event?: string };

/** A byte that ends whatever the agent in the guest has half read, and that it puts before the answer to a sync. */
const RESET = 0xff;

/** Characters without the end of a line: the monitor's longest answers are far shorter, and a guest may send what it likes. */
const MAX_LINE = 64 * 1024 * 1024;

const isMessage = (value: unknown): value is Message => typeof value === 'object' && value !== null;

/** A connection to a Unix socket on which each line is a JSON document. */
class JsonSocket {
  /** What came of a line so far. */
  private rest: string[] = [];
  private restLength = 0;
  private failure: AgentError | undefined;
  private receive: (message: Message) => void = () => undefined;
  private fail: (error: AgentError) => void = () => undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly path: string,
  ) {
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.take(text));
    socket.on('error', (error) => this.end(error.message));
    socket.on('close', () => this.end('the connection was closed'));
  }

  static connect(path: string): Promise<JsonSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect(path, () => resolve(new JsonSocket(socket, path)));
      socket.once('error', (error) => reject(new AgentError('machine', `${path}: ${error.message}`)));
    });
  }

  write(data: string | Buffer): void {
    this.socket.write(data);
  }

  /** The next message that `isWanted`; others are passed over. One may be waited for at a time. */
  next(isWanted: (message: Message) => boolean, what: string, timeoutMs: number): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) {
        reject(this.failure);
        return;
      }
      const timer = setTimeout(
        () => this.fail(new AgentError('machine', `${this.path}: no answer to ${what} in ${timeoutMs} ms`)),
        timeoutMs,
      );
      const settle = () => {
        clearTimeout(timer);
        this.receive = () => undefined;
        this.fail = () => undefined;
      };
      this.receive = (message) => {
        if (!isWanted(message)) return;
        settle();
        resolve(message);
      };
      this.fail = (error) => {
        settle();
        reject(error);
      };
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private end(reason: string): void {
    this.failure ??= new AgentError('machine', `${this.path}: ${reason}`);
    this.fail(this.failure);
  }

  private take(text: string): void {
    const [first = '', ...others] = text.split('\n');
    this.rest.push(first);
    this.restLength += first.length;
    for (const next of others) {
      this.takeLine(this.rest.join(''));
      this.rest = [next];
      this.restLength = next.length;
    }
    if (this.restLength > MAX_LINE) this.refuse('sends a line without an end');
  }

  /** What is no answer is passed over: a guest says what it likes, and what was waited for may still come. */
  private takeLine(line: string): void {
    let message: unknown;
    try {
      // The byte before the answer to a sync is none of UTF-8.
      message = JSON.parse(line.replace(/^\ufffd+/, ''));
    } catch {
      return;
    }
    if (isMessage(message)) this.receive(message);
  }

  private refuse(what: string): void {
    this.rest = [];
    this.restLength = 0;
    this.end(`the other end ${what}`);
    this.socket.destroy();
  }
}

/** QEMU's monitor on a Unix socket (`-qmp unix:/path,server=on,wait=off`), which serves one client at a time. */
export class QmpSocket implements Commands {
  private lastId = 0;

  private constructor(private readonly socket: JsonSocket) {}

  static async connect(path: string, timeoutMs = COMMAND_TIMEOUT_MS): Promise<QmpSocket> {
    const socket = await JsonSocket.connect(path);
    const qmp = new QmpSocket(socket);
    try {
      await socket.next((message) => message.QMP !== undefined, 'a new client', timeoutMs);
      await qmp.execute('qmp_capabilities', { timeoutMs });
    } catch (error) {
      socket.close();
      throw error;
    }
    return qmp;
  }

  async execute<T>(command: string, options: CommandOptions = {}): Promise<T> {
    this.lastId += 1;
    const id = this.lastId;
    const answer = this.socket.next(
      (message) => message.id === id,
      command,
      options.timeoutMs ?? COMMAND_TIMEOUT_MS,
    );
    this.socket.write(`${JSON.stringify({ execute: command, arguments: options.arguments, id })}\n`);
    return returnOf(command, await answer);
  }

  close(): void {
    this.socket.close();
  }
}

/** The agent in the guest by the Unix socket of its serial port. Nobody may be listening at its other end. */
export class GuestAgentSocket implements Commands {
  private constructor(private readonly socket: JsonSocket) {}

  /** Rejects when no agent answers within `timeoutMs`. */
  static async connect(path: string, timeoutMs: number): Promise<GuestAgentSocket> {
    const agent = new GuestAgentSocket(await JsonSocket.connect(path));
    try {
      await agent.synchronize(timeoutMs);
    } catch (error) {
      agent.close();
      throw error;
    }
    return agent;
  }

  async execute<T>(command: string, options: CommandOptions = {}): Promise<T> {
    const answer = this.socket.next(() => true, command, options.timeoutMs ?? COMMAND_TIMEOUT_MS);
    this.socket.write(`${JSON.stringify({ execute: command, arguments: options.arguments })}\n`);
    try {
      return returnOf(command, await answer);
    } catch (error) {
      // What comes late must not be taken for the answer to the next command.
      if (error instanceof AgentError) await this.synchronize(COMMAND_TIMEOUT_MS).catch(() => undefined);
      throw error;
    }
  }

  close(): void {
    this.socket.close();
  }

  private async synchronize(timeoutMs: number): Promise<void> {
    const id = Math.floor(Math.random() * 2 ** 31);
    const answer = this.socket.next((message) => message.return === id, 'guest-sync-delimited', timeoutMs);
    this.socket.write(Buffer.from([RESET]));
    this.socket.write(`${JSON.stringify({ execute: 'guest-sync-delimited', arguments: { id } })}\n`);
    await answer;
  }
}
