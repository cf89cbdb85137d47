import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { HttpError } from './http-error.js';

const PREFIX = 'req-';

/** The client's request id, with the prefix where it is missing, else a fresh one. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const sent = request.headers['x-openstack-request-id'];
  if (typeof sent !== 'string' || sent === '') return `${PREFIX}${randomUUID()}`;
  return sent.startsWith(PREFIX) ? sent : `${PREFIX}${sent}`;
}

/** Refuses an id that is longer than `maxLength` as it was sent; 0 allows any. */
export function checkRequestIdLength(request: Pick<IncomingMessage, 'headers'>, maxLength: number): void {
  const sent = request.headers['x-openstack-request-id'];
  if (maxLength > 0 && typeof sent === 'string' && sent.length > maxLength)
    throw new HttpError(431, `The request id is longer than ${maxLength} characters.`);
}
