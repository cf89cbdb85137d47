import { hash } from 'node:crypto';
import type { SnapshotOrder } from '@glimpse/contracts';

const byName = ([one]: readonly [string, unknown], [other]: readonly [string, unknown]) =>
  one < other ? -1 : one > other ? 1 : 0;

/** The same for the same content: without what is not there, and with the members of objects in one order. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(byName)
    .map(([name, member]) => [name, canonical(member)]);
}

/**
 * Tells two requests of the same id apart that ask for different things. When the reply is to come is none of it. A member that is
 * added to requests must be left out where a request does not have it: one that came to the release before is still the same.
 */
export function fingerprintOf({ reply: _reply, ...asked }: SnapshotOrder): string {
  const diskFormat = asked.disk_format ?? asked.source.format;
  return hash('sha256', JSON.stringify(canonical({ ...asked, disk_format: diskFormat })), 'hex');
}
