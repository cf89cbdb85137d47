import { ServiceError, isStorableText } from '@glimpse/contracts';

/** Refuses text that Glance's three-byte columns can't hold; `what` names it in the message. */
export function checkStorableText(what: string, text: string): void {
  if (!isStorableText(text))
    throw new ServiceError(
      'REQUEST_INVALID',
      `${what} holds U+0000 or characters outside the Basic Multilingual Plane.`,
    );
}
