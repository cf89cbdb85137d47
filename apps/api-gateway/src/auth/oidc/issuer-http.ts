import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';

/** Discovery documents and key sets are a few kilobytes. */
const MAX_BYTES = 1_048_576;

export interface IssuerHttpOptions {
  readonly caFile?: string | undefined;
  readonly timeoutMs: number;
}

/** Fetches documents of the issuer; follows no redirects, reads no more than a mebibyte. */
export class IssuerHttp {
  private readonly agent: Agent;

  /** Throws when the CA file can't be read. */
  constructor(private readonly options: IssuerHttpOptions) {
    const ca = options.caFile === undefined ? {} : { ca: readFileSync(options.caFile, 'utf8') };
    this.agent = new Agent({
      connect: { ...ca, timeout: options.timeoutMs },
      keepAliveTimeout: 1_000,
      maxResponseSize: MAX_BYTES,
    });
  }

  /** The JSON at `url`; rejects on anything but a 200 with JSON within the time. */
  async json(url: string): Promise<unknown> {
    const answer = await request(url, {
      dispatcher: this.agent,
      headers: { accept: 'application/json' },
      signal: AbortSignal.timeout(this.options.timeoutMs),
    });
    if (answer.statusCode !== 200) {
      await answer.body.dump();
      throw new Error(`${url} was answered with ${answer.statusCode}`);
    }
    return answer.body.json();
  }

  close(): Promise<void> {
    return this.agent.close();
  }
}
