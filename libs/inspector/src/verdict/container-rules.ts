import type { ContentName } from '../inspection.js';
import type { DeclaredFormat } from './format-rules.js';

const COMPRESSED: readonly ContentName[] = ['gzip', 'xz', 'zstd', 'bzip2', 'zip', 'lha'];

/** What the data of containers must be, of those whose data is of one kind. */
const contentsOf: Readonly<Record<string, readonly ContentName[]>> = {
  ova: ['ova'],
  docker: ['tar'],
  compressed: COMPRESSED,
};

/** Why the data is not of its container, or not ploop; null where it is. Glance never looks, so only strict rules ask. */
export function findContainerMismatch(
  content: ContentName | null,
  { diskFormat, containerFormat }: DeclaredFormat,
): string | null {
  const wanted = contentsOf[containerFormat];
  if (wanted !== undefined && (content === null || !wanted.includes(content)))
    return `Image container_format ${containerFormat} does not match stream data ${content ?? 'raw'}`;
  if (containerFormat === 'bare' && diskFormat === 'ploop' && content !== 'ploop')
    return `Image disk_format ploop does not match stream data ${content ?? 'raw'}`;
  return null;
}
