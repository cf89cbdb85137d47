import type { JWTPayload } from 'jose';

/** The claim of that name, or, where there is none, what the dots of the name lead to. */
function findClaim(claims: JWTPayload, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const key of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = Reflect.get(value, key);
  }
  return value;
}

/** A claim that is one text; undefined for anything else. */
export function textClaim(claims: JWTPayload, name: string): string | undefined {
  const value = findClaim(claims, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A claim that is a list of texts, or one text. */
export function textsClaim(claims: JWTPayload, name: string): string[] {
  const value = findClaim(claims, name);
  return [value].flat().filter((entry): entry is string => typeof entry === 'string' && entry !== '');
}

/** A claim that is a list of words, or a text of words between blanks as `scope` is. */
export const wordsClaim = (claims: JWTPayload, name: string): string[] =>
  textsClaim(claims, name).flatMap((text) => text.split(' ').filter((word) => word !== ''));

const isPlain = (value: unknown): value is number | boolean =>
  typeof value === 'number' || typeof value === 'boolean';

/** Whether the claims have what `requirement` asks for: a `name`, or `name=value`, also as one value of a list. */
export function fulfils(claims: JWTPayload, requirement: string): boolean {
  const [, name = requirement, value] = /^([^=]+)=(.*)$/.exec(requirement) ?? [];
  const claim = findClaim(claims, name);
  if (value === undefined) return claim !== undefined && claim !== null;
  return [claim].flat().some((entry) => entry === value || (isPlain(entry) && `${entry}` === value));
}
