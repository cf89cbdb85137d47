import { Readable } from 'node:stream';
import { isServiceError } from '@glimpse/contracts';
import { failed } from './failed.js';
import { resumePause } from './resume-pause.js';
import type { WebAnswer, WebOptions, WebRequests } from './web-request.js';

/** Data on its way from a web server. */
export interface WebData {
  readonly data: Readable;
  /** Bytes, where the server announced them. */
  readonly size: number | undefined;
}

interface WebTarget {
  readonly uri: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads images from web servers that clients name. */
export class WebSource {
  constructor(
    private readonly requests: WebRequests,
    private readonly options: Pick<WebOptions, 'maxResumes' | 'totalTimeoutMs'>,
  ) {}

  /**
   * Opens the URI. A connection that breaks is taken up where it ended, where the server can vouch (by a strong ETag) that
   * the data is still the same. Whoever opened it destroys the stream. Throws as {@link WebRequests.get} does.
   */
  async open(
    uri: string,
    signal: AbortSignal,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<WebData> {
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(failed('The download took too long')),
      this.options.totalTimeoutMs,
    );
    const either = AbortSignal.any([signal, timeout.signal]);
    try {
      const answer = await this.requests.get(uri, headers, either);
      try {
        const size = sizeOf(answer);
        const data = Readable.from(this.chunks({ uri, headers }, answer, size, either), {
          objectMode: false,
        });
        data.once('close', () => {
          clearTimeout(timer);
          answer.body.destroy();
        });
        return { data, size };
      } catch (error) {
        answer.body.destroy();
        throw error;
      }
    } catch (error) {
      clearTimeout(timer);
      throw error;
    }
  }

  private async *chunks(
    target: WebTarget,
    first: WebAnswer,
    size: number | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Buffer> {
    const etag = strongEtagOf(first);
    let answer = first;
    let received = 0;
    for (let resumes = 0; ; resumes++) {
      try {
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          received += chunk.length;
          yield chunk;
        }
        if (size === undefined || received >= size) return;
      } catch (error) {
        signal.throwIfAborted();
        if (etag === undefined || resumes >= this.options.maxResumes) throw brokeOff(error);
      } finally {
        answer.body.destroy();
      }
      if (etag === undefined || resumes >= this.options.maxResumes) throw brokeOff();
      answer = await this.resume(target, { etag, from: received, size }, signal);
    }
  }

  private async resume(
    { uri, headers }: WebTarget,
    rest: { etag: string; from: number; size: number | undefined },
    signal: AbortSignal,
  ): Promise<WebAnswer> {
    const { etag, from, size } = rest;
    for (let attempt = 0; ; attempt++) {
      await resumePause(attempt, signal);
      try {
        const answer = await this.requests.get(
          uri,
          { ...headers, range: `bytes=${from}-`, 'if-range': etag },
          signal,
        );
        if (answer.status === 206 && continues(answer, from, size)) return answer;
        answer.body.destroy();
        throw failed('The connection broke, and the data is another one by now, or can not be read in parts');
      } catch (error) {
        const mayPass = isServiceError(error, 'TRANSFER_ABORTED') && error.cause !== undefined;
        if (!mayPass || attempt >= this.options.maxResumes) throw error;
      }
    }
  }
}

const brokeOff = (cause?: unknown) => failed('The connection broke before the end of the data', cause);

const headerOf = ({ headers }: WebAnswer, name: string): string => String(headers[name] ?? '');

function sizeOf(answer: WebAnswer): number | undefined {
  if (answer.status !== 200) throw failed(`The server answered ${answer.status}, which was not asked for`);
  const encoding = headerOf(answer, 'content-encoding');
  if (encoding !== '' && encoding !== 'identity') throw failed(`The server sends the data as ${encoding}`);
  const text = headerOf(answer, 'content-length');
  const length = Number(text);
  return /^\d+$/.test(text) && Number.isSafeInteger(length) ? length : undefined;
}

function strongEtagOf(answer: WebAnswer): string | undefined {
  const etag = headerOf(answer, 'etag');
  return /^"[^"]*"$/.test(etag) ? etag : undefined;
}

function continues(answer: WebAnswer, from: number, size: number | undefined): boolean {
  const [, start, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headerOf(answer, 'content-range')) ?? [];
  return Number(start) === from && (size === undefined || total === '*' || Number(total) === size);
}
