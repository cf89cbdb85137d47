import { type DiskRange, endOf } from './disk-range.js';

/** Makes one of neighbours that are of the same kind; it has the properties of the first. */
export async function* joined<T extends DiskRange>(
  parts: AsyncIterable<T>,
  isSameKind: (one: T, next: T) => boolean,
): AsyncGenerator<T, void, undefined> {
  let first: T | undefined;
  let end = 0;
  for await (const part of parts) {
    if (first !== undefined && (end !== part.offset || !isSameKind(first, part))) {
      yield { ...first, length: end - first.offset };
      first = undefined;
    }
    first ??= part;
    end = endOf(part);
  }
  if (first !== undefined) yield { ...first, length: end - first.offset };
}
