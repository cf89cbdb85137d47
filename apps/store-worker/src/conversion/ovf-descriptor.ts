import { ServiceError } from '@glimpse/contracts';
import { XMLParser } from 'fast-xml-parser';
import { z } from 'zod';

const refused = (message: string) => new ServiceError('CONVERSION_FAILED', message);

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  // A document of entities that name entities would grow without bound.
  processEntities: false,
  isArray: (name) => name === 'File' || name === 'Disk',
});

const File = z.object({
  '@id': z.string(),
  '@href': z.string(),
  '@compression': z.string().optional(),
  '@chunkSize': z.string().optional(),
});
const Disk = z.object({ '@fileRef': z.string().optional(), '@format': z.string().optional() });
const Envelope = z.object({
  Envelope: z.object({
    References: z.object({ File: z.array(File).default([]) }).optional(),
    DiskSection: z.object({ Disk: z.array(Disk).default([]) }).optional(),
  }),
});

/** The one disk of a virtual appliance that has data. */
export interface OvfDisk {
  /** Its name in the archive. */
  readonly file: string;
  /** A name of Glance's. */
  readonly diskFormat: string;
  readonly isGzipped: boolean;
}

/** What an OVF descriptor says of its disk. Throws CONVERSION_FAILED where that is none, several, or in pieces. */
export function ovfDiskOf(text: string): OvfDisk {
  const parsed = Envelope.safeParse(parse(text));
  if (!parsed.success) throw refused('The descriptor of the OVA makes no sense');
  const { References, DiskSection } = parsed.data.Envelope;
  const disks = (DiskSection?.Disk ?? []).filter(({ '@fileRef': ref }) => ref !== undefined);
  const [disk] = disks;
  if (disk === undefined) throw refused('The OVA has no disk');
  if (disks.length > 1) throw refused(`The OVA has ${disks.length} disks, and an image is one`);
  const file = References?.File.find(({ '@id': id }) => id === disk['@fileRef']);
  if (file === undefined) throw refused('The descriptor of the OVA refers to a file that it does not have');
  if (file['@chunkSize'] !== undefined) throw refused('The disk in the OVA is in pieces');
  const compression = file['@compression'] ?? '';
  if (!['', 'identity', 'gzip'].includes(compression))
    throw refused('The disk in the OVA is compressed in an unknown way');
  return {
    file: file['@href'],
    diskFormat: diskFormatOf(disk['@format'] ?? '', file['@href']),
    isGzipped: compression === 'gzip',
  };
}

function parse(text: string): unknown {
  try {
    return parser.parse(text);
  } catch {
    return undefined;
  }
}

/** Formats are named by a URL of their specification, and by custom the file's name says it too. */
function diskFormatOf(url: string, file: string): string {
  const said = [/vmdk|vhdx|vhd|qcow2?|vdi|raw|iso/i, /\.(vmdk|vhdx|vhd|qcow2|vdi|raw|img|iso)(?:\.gz)?$/i];
  const name = (said[0]?.exec(url)?.[0] ?? said[1]?.exec(file)?.[1] ?? '').toLowerCase();
  if (name === '') throw refused('The format of the disk in the OVA is unknown');
  if (name === 'qcow') return 'qcow2';
  return name === 'img' ? 'raw' : name;
}
