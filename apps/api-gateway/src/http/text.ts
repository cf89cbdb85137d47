import { ServiceError } from '@glimpse/contracts';

// Surrogates, in pairs (characters outside the BMP) or alone: the database's columns hold neither.
const OUTSIDE_BMP = /[\ud800-\udfff]/;

export const isStorableText = (text: string): boolean => !OUTSIDE_BMP.test(text);

/** Refuses text that Glance's three-byte columns can't hold; `what` names it in the message. */
export function checkStorableText(what: string, text: string): void {
  if (!isStorableText(text))
    throw new ServiceError(
      'REQUEST_INVALID',
      `${what} holds characters outside the Basic Multilingual Plane.`,
    );
}
