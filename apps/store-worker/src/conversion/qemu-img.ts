import { ServiceError } from '@glimpse/contracts';
import { z } from 'zod';
import type { LimitedTools, RunningTool, ToolEnd, ToolLimits } from './limited-tool.js';
import { scratchFull } from './scratch-space.js';

/** What `qemu-img` calls the formats that it is given here. */
const driverNames: Readonly<Record<string, string>> = {
  raw: 'raw',
  qcow2: 'qcow2',
  vhd: 'vpc',
  vhdx: 'vhdx',
  vmdk: 'vmdk',
  vdi: 'vdi',
  // A disk with a partition table.
  gpt: 'raw',
};

/** Looking at an image takes no more than this (spec/image-formats.md section 5). */
const INFO_LIMITS: ToolLimits = { timeoutMs: 60_000, cpuSeconds: 2, memoryBytes: 2 ** 30, fileBytes: 0 };

/** Characters of what `qemu-img info` says: it names each snapshot and bitmap of an image. */
const MAX_INFO = 2 ** 20;

const Info = z.object({
  format: z.string(),
  'virtual-size': z.int().min(0),
  'dirty-flag': z.boolean().optional(),
  'backing-filename': z.string().optional(),
  'format-specific': z
    .object({
      data: z.looseObject({
        'data-file': z.string().optional(),
        extents: z.array(z.object({ filename: z.string() })).optional(),
      }),
    })
    .optional(),
});

/** A local file and the format that its content was found to have. */
export interface DiskFile {
  readonly path: string;
  /** A name of Glance's. */
  readonly format: string;
}

export interface DiskFacts {
  /** Bytes of the disk. */
  readonly virtualSize: number;
  readonly isDirty: boolean;
}

/** Exit codes of `qemu-img check`: all is well, some space is wasted, the format knows no checks. */
const PASSED_CHECKS: ReadonlySet<number> = new Set([0, 3, 63]);

export interface ConversionOptions {
  /** Of qcow2: its clusters are compressed. */
  readonly compressed?: boolean;
  readonly limits: ToolLimits;
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Percent of the work. */
  readonly onProgress: (percent: number) => void;
}

const failed = (message: string, cause?: unknown) =>
  new ServiceError('CONVERSION_FAILED', message, { cause });

/** Whether images of the format can be converted. */
export const isConvertible = (format: string): boolean => Object.hasOwn(driverNames, format);

/** Calls `qemu-img` on local files whose content was inspected before; it is never left to find out the format. */
export class QemuImg {
  constructor(private readonly tools: LimitedTools) {}

  /** What the file says of its disk. Throws CONVERSION_FAILED where it is not what it seemed, or names other files. */
  async inspect(
    file: DiskFile,
    { directory, signal }: Pick<ConversionOptions, 'directory' | 'signal'>,
  ): Promise<DiskFacts> {
    const args = ['info', '--output=json', nameOf(file)];
    const tool = await this.tools.start('qemu-img', args, { limits: INFO_LIMITS, directory, signal });
    tool.stdin.end();
    const [output, end] = await Promise.all([shortOutputOf(tool), tool.ended]);
    signal.throwIfAborted();
    if (output === undefined) throw failed(`The ${file.format} image has too much to say of itself`);
    if (end.code !== 0)
      throw failed(`The ${file.format} image cannot be read: ${complaintOf(end, directory)}`);
    const info = Info.safeParse(parseJson(output));
    if (!info.success || info.data.format !== driverNames[file.format])
      throw failed(`The image is not the ${file.format} image that it seemed to be`);
    if (namesOtherFiles(info.data, file.path)) throw failed('The image refers to other files');
    return { virtualSize: info.data['virtual-size'], isDirty: info.data['dirty-flag'] ?? false };
  }

  /**
   * Throws CONVERSION_FAILED where parts of the disk are not in the file: converting would make zeros of them. One that was
   * not closed properly (`isDirty`) is out of order without being damaged, and can't be checked.
   */
  async assertWhole(file: DiskFile, options: Omit<ConversionOptions, 'onProgress'>): Promise<void> {
    const { limits, directory, signal } = options;
    const args = ['check', nameOf(file)];
    const checkLimits = { ...limits, fileBytes: 0 };
    const tool = await this.tools.start('qemu-img', args, { limits: checkLimits, directory, signal });
    tool.stdin.end();
    tool.stdout.resume();
    const end = await tool.ended;
    signal.throwIfAborted();
    assertEndedByItself(end);
    if (!PASSED_CHECKS.has(end.code ?? -1))
      throw failed(`The ${file.format} image is damaged, or is not all there`);
  }

  /**
   * Writes the disk in `from` to the new file `to`. Throws CONVERSION_FAILED with the reason, QUOTA_EXCEEDED where the
   * outcome is larger than the limits allow, SCRATCH_FULL where the disk is full.
   */
  async convert(from: DiskFile, to: DiskFile, options: ConversionOptions): Promise<void> {
    const { limits, directory, signal, compressed, onProgress } = options;
    const target = driverNames[to.format] ?? to.format;
    const how = compressed === true ? ['-c'] : [];
    const args = ['convert', '-p', ...how, '-O', target, nameOf(from), `file:${to.path}`];
    const tool = await this.tools.start('qemu-img', args, { limits, directory, signal });
    tool.stdin.end();
    tool.stdout.setEncoding('utf8').on('data', (output: string) => {
      const percent = /\((\d+(?:\.\d+)?)\/100%\)[^(]*$/.exec(output)?.[1];
      if (percent !== undefined) onProgress(Number(percent));
    });
    const end = await tool.ended;
    signal.throwIfAborted();
    if (end.code === 0) return;
    if (/No space left on device|Disk quota exceeded/.test(end.complaint)) throw scratchFull();
    if (end.killedBy === 'SIGXFSZ' || /File too large/.test(end.complaint)) throw tooLarge();
    assertEndedByItself(end);
    throw failed(`The conversion failed: ${complaintOf(end, directory)}`);
  }
}

/** What the tool says; undefined where that is too much, as of an image with millions of snapshots. Ends it then. */
async function shortOutputOf(tool: RunningTool): Promise<string | undefined> {
  let output = '';
  for await (const text of tool.stdout.setEncoding('utf8')) {
    output += text;
    if (output.length <= MAX_INFO) continue;
    tool.kill();
    return undefined;
  }
  return output;
}

const tooLarge = () =>
  new ServiceError('QUOTA_EXCEEDED', 'The converted image is larger than the limits on its size allow');

/** With the format said, nothing behind it, and no protocol but that of files. */
function nameOf({ path, format }: DiskFile): string {
  const driver = driverNames[format] ?? format;
  const hasBacking = driver === 'qcow2' || driver === 'vmdk';
  return `json:${JSON.stringify({
    driver,
    'read-only': true,
    ...(hasBacking ? { backing: null } : {}),
    file: { driver: 'file', filename: path },
  })}`;
}

function namesOtherFiles(info: z.output<typeof Info>, path: string): boolean {
  const { data } = info['format-specific'] ?? {};
  const others = data?.extents?.some(({ filename }) => filename !== path) ?? false;
  return info['backing-filename'] !== undefined || data?.['data-file'] !== undefined || others;
}

function parseJson(output: string): unknown {
  try {
    return JSON.parse(output);
  } catch {
    return undefined;
  }
}

function assertEndedByItself({ timedOut, killedBy }: ToolEnd): void {
  if (timedOut) throw failed('The conversion took too long');
  if (killedBy !== null) throw failed(`The conversion took more than it may of the machine (${killedBy})`);
}

/** The last thing that it said, without the names of our files. */
const complaintOf = ({ complaint, killedBy }: ToolEnd, directory: string): string =>
  (complaint.trim().split('\n').at(-1) ?? '')
    .replaceAll(`${directory}/`, '')
    .replace(/json:\{.*?\}\}/, 'image') ||
  (killedBy === null ? 'qemu-img gave no reason' : `qemu-img was ended by ${killedBy}`);
