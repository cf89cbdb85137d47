import { Readable } from 'node:stream';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Buffer;
  readonly text: string;
}

export type RequestBody = string | Uint8Array | Readable;

export interface HttpRequest {
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent in chunks, without a length. */
  readonly body?: RequestBody;
  readonly signal?: AbortSignal;
}

/** Sends a request and reads the whole answer, whatever its status. */
export async function request(method: string, url: string, options: HttpRequest = {}): Promise<HttpAnswer> {
  const { body } = options;
  const init: RequestInit & { duplex?: 'half' } = {
    method,
    headers: { ...options.headers },
    redirect: 'manual',
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  if (body instanceof Readable) Object.assign(init, { body: Readable.toWeb(body), duplex: 'half' });
  else if (body !== undefined) Object.assign(init, { body });
  const response = await fetch(url, init);
  const bytes = Buffer.from(await response.arrayBuffer());
  return { status: response.status, headers: response.headers, body: bytes, text: bytes.toString('utf8') };
}
