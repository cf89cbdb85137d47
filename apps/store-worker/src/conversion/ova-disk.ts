import { createHash } from 'node:crypto';
import { ServiceError } from '@glimpse/contracts';
import { type OvfDisk, ovfDiskOf } from './ovf-descriptor.js';
import { PeekedChunks } from './peeked-chunks.js';
import { type TarEntry, tarEntries } from './tar-entries.js';

/** Of one disk it is some ten kilobytes; reading a megabyte takes most of a second, in which nothing else goes on. */
const MAX_DESCRIPTOR = 2 ** 20;
const MAX_MANIFEST = 2 ** 20;
/** Those of manifests. Where the manifest comes after the disk, it is told only then which of them counts. */
const algorithms = ['sha1', 'sha256', 'sha512'];
/** Files in one archive. */
const MAX_ENTRIES = 1_000;

const refused = (message: string) => new ServiceError('CONVERSION_FAILED', message);

/** The disk of a virtual appliance, on its way out of it. */
export interface UnpackedDisk {
  /** A name of Glance's. */
  readonly diskFormat: string;
  readonly isGzipped: boolean;
  readonly chunks: AsyncIterable<Buffer>;
}

/**
 * Takes the disk out of an OVA, as it comes: nothing is written, so that names and links in the archive lead nowhere. Its
 * descriptor comes first (DSP0243), and names one disk. What the manifest says of the disk must be true. Throws
 * CONVERSION_FAILED.
 */
export async function unpackOva(archive: AsyncIterable<Buffer>): Promise<UnpackedDisk> {
  const entries = tarEntries(new PeekedChunks(archive));
  const { value: first } = await entries.next();
  if (first === undefined || !first.isFile || !/\.ovf$/i.test(first.name))
    throw refused('The OVA does not begin with its descriptor, an .ovf file');
  const disk = ovfDiskOf(await read(first, MAX_DESCRIPTOR));
  return {
    diskFormat: disk.diskFormat,
    isGzipped: disk.isGzipped,
    chunks: contentOf(entries, disk),
  };
}

/** The disk's content, whereupon the rest of the archive is read to its end: it must be whole. */
async function* contentOf(entries: AsyncGenerator<TarEntry>, disk: OvfDisk): AsyncGenerator<Buffer> {
  const manifest = new Map<string, string>();
  const digests = new Map<string, string>();
  let isFound = false;
  let count = 1;
  for await (const entry of entries) {
    if (++count > MAX_ENTRIES) throw refused('The OVA has too many files');
    if (/\.mf$/i.test(entry.name) && entry.isFile)
      readManifest(await read(entry, MAX_MANIFEST), disk, manifest);
    if (!isNamed(disk, entry.name)) continue;
    if (!entry.isFile) throw refused('The disk in the OVA is a link, and no file');
    if (isFound) throw refused('The disk is twice in the OVA');
    isFound = true;
    yield* hashed(entry.content, manifest.size > 0 ? [...manifest.keys()] : algorithms, digests);
  }
  if (!isFound) throw refused('The disk that the descriptor names is not in the OVA');
  for (const [algorithm, value] of manifest)
    if (digests.get(algorithm) !== value)
      throw refused("The disk in the OVA is not what the OVA's manifest says");
}

/** References are written as in URLs, and archives made by hand have `./` in front of their names. */
function isNamed({ file }: OvfDisk, name: string): boolean {
  const plain = name.replace(/^\.\//, '');
  return plain === file || plain === decoded(file);
}

function decoded(reference: string): string | undefined {
  try {
    return decodeURIComponent(reference);
  } catch {
    return undefined;
  }
}

async function* hashed(
  content: AsyncIterable<Buffer>,
  names: readonly string[],
  digests: Map<string, string>,
): AsyncGenerator<Buffer> {
  const hashes = names.map((name) => [name, createHash(name)] as const);
  for await (const piece of content) {
    for (const [, hash] of hashes) hash.update(piece);
    yield piece;
  }
  for (const [name, hash] of hashes) digests.set(name, hash.digest('hex'));
}

/** Lines of `SHA256(disk.vmdk)= 0123…`. */
function readManifest(text: string, disk: OvfDisk, manifest: Map<string, string>): void {
  for (const line of text.split('\n')) {
    const [, algorithm = '', name, value = ''] =
      /^(SHA(?:1|256|512))\s?\((.*)\)\s?=\s*([0-9a-f]+)\s*$/i.exec(line) ?? [];
    if (name !== undefined && isNamed(disk, name)) manifest.set(algorithm.toLowerCase(), value.toLowerCase());
  }
}

async function read(entry: TarEntry, maxBytes: number): Promise<string> {
  if (entry.size > maxBytes) throw refused(`${entry.name.slice(-100)} in the OVA is too large`);
  const pieces: Buffer[] = [];
  for await (const piece of entry.content) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString('utf8');
}
