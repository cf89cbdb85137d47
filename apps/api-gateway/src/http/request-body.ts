import type { IncomingMessage } from 'node:http';
import { ServiceError } from '@glimpse/contracts';
import { sendContinue } from './expect-continue.js';
import { HttpError } from './http-error.js';

const CODINGS = new Set(['chunked', 'compress', 'deflate', 'gzip', 'identity']);
const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** JSON nested deeper than this is refused before anything walks it. */
const MAX_DEPTH = 64;
/** And so is JSON with more members and elements than any request needs: checking each would stop all others. */
const MAX_MEMBERS = 10_000;

export interface BodyLimits {
  readonly bodyLimitBytes: number;
  /** The longest wait for a whole body. */
  readonly idleTimeoutMs: number;
}

/** Whether the request announces a body, by its headers; a chunked one counts although it may turn out empty. */
export function hasBody(request: Pick<IncomingMessage, 'headers' | 'method'>): boolean {
  if (Number(request.headers['content-length'] ?? 0) > 0) return true;
  const coding = request.headers['transfer-encoding'];
  return (
    coding !== undefined &&
    METHODS_WITH_BODY.has(request.method ?? '') &&
    CODINGS.has(coding.trim().toLowerCase())
  );
}

const malformed = (cause?: unknown) =>
  new ServiceError('REQUEST_INVALID', 'Malformed JSON in request body.', { cause });

function checkShape(text: string): void {
  let depth = 0;
  let members = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at);
    if (isInString) {
      if (character === 0x5c) at += 1;
      else if (character === 0x22) isInString = false;
    } else if (character === 0x22) isInString = true;
    else if (character === 0x5b || character === 0x7b) {
      depth += 1;
      if (depth > MAX_DEPTH)
        throw new ServiceError('REQUEST_INVALID', `JSON is nested deeper than ${MAX_DEPTH} levels.`);
    } else if (character === 0x5d || character === 0x7d) depth -= 1;
    else if (character === 0x2c) members += 1;
  }
  if (members > MAX_MEMBERS)
    throw new ServiceError('REQUEST_INVALID', `JSON has more than ${MAX_MEMBERS} members.`);
}

// `ignoreBOM` keeps the mark in the text, where JSON.parse refuses it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(body: Buffer): string {
  try {
    return utf8.decode(body);
  } catch (error) {
    throw malformed(error);
  }
}

/**
 * Parses a JSON document whose top is an object or an array; everything else, and what is nested too deep, is refused with
 * REQUEST_INVALID.
 */
export function parseJson(body: Buffer): object {
  const text = decode(body);
  checkShape(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw malformed(error);
  }
  if (typeof value !== 'object' || value === null) throw malformed();
  return value;
}

const tooLarge = (limit: number) =>
  new HttpError(413, `The request body is larger than ${limit} bytes.`, { connection: 'close' });

/** Reads the body whole, up to the limit. Refuses one that is larger, breaks off, stalls or drips. */
async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? 0) > limits.bodyLimitBytes)
    throw tooLarge(limits.bodyLimitBytes);
  sendContinue(request);
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(() => request.destroy(), limits.idleTimeoutMs);
  try {
    // The iterator must not destroy the request on the way out: the refusal is still to be sent over its socket.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limits.bodyLimitBytes) throw tooLarge(limits.bodyLimitBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof HttpError) throw error;
    throw new ServiceError('REQUEST_INVALID', 'The request body broke off.', { cause: error });
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks, size);
}

/** The JSON body of a request, an object or an array; undefined where there is none. */
export async function readJson(request: IncomingMessage, limits: BodyLimits): Promise<object | undefined> {
  if (!hasBody(request)) return undefined;
  const body = await readBody(request, limits);
  return parseJson(body);
}
