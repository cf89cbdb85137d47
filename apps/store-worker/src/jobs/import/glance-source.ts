import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type ImportSource, ServiceError } from '@glimpse/contracts';
import { getHashes } from 'node:crypto';
import { z } from 'zod';
import { failed } from './failed.js';
import type { OpenedSource } from './opened-source.js';
import type { WebRequests } from './web-request.js';
import type { WebSource } from './web-source.js';

type Source = Extract<ImportSource, { kind: 'glance' }>;

/** The description of an image is a hundredth of it. */
const MAX_DOCUMENT_BYTES = 4_194_304;

const RemoteImage = z.looseObject({
  status: z.string(),
  size: z.int().min(0).nullable(),
  // What fits into an image's row.
  disk_format: z.string().max(20).nullable(),
  container_format: z.string().max(20).nullable(),
  checksum: z.string().nullish(),
  os_hash_algo: z.string().nullish(),
  os_hash_value: z.string().nullish(),
});
type RemoteImage = z.output<typeof RemoteImage>;

/** Reads images from the image service of another region, as the user who asked for it. */
export class GlanceSource {
  constructor(
    private readonly requests: WebRequests,
    private readonly web: WebSource,
    /** Beginnings of the names of properties that come along. */
    private readonly extraProperties: readonly string[],
    /** How long the description of an image may take to come. */
    private readonly documentTimeoutMs = 60_000,
  ) {}

  /** Rejects with TRANSFER_ABORTED where the image can't be had, and REQUEST_INVALID where its place is not allowed. */
  async open({ url, imageId, token }: Source, signal: AbortSignal): Promise<OpenedSource> {
    const headers = { 'x-auth-token': token };
    const image = await this.describe(`${url}/v2/images/${imageId}`, headers, signal);
    if (image.status !== 'active')
      throw failed(`The image in the other region is ${image.status}, and must be active`);
    const { disk_format: diskFormat, container_format: containerFormat } = image;
    if (diskFormat === null || containerFormat === null)
      throw failed('The image in the other region has no formats');
    const { data, size } = await this.web.open(`${url}/v2/images/${imageId}/file`, signal, headers);
    if (size !== undefined && image.size !== null && size !== image.size) {
      data.destroy();
      throw failed(`The image in the other region has ${image.size} bytes, and ${size} are sent`);
    }
    return {
      data,
      size: image.size ?? size,
      digests: digestsOf(image),
      description: { diskFormat, containerFormat, properties: this.propertiesOf(image) },
    };
  }

  private async describe(
    uri: string,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<RemoteImage> {
    const timeout = new AbortController();
    const timer = setTimeout(
      () => timeout.abort(failed('The other region takes too long to answer')),
      this.documentTimeoutMs,
    );
    const either = AbortSignal.any([signal, timeout.signal]);
    try {
      const { body, status } = await this.requests.get(uri, headers, either);
      if (status !== 200) throw failed(`The other region answered ${status}`);
      const parsed = RemoteImage.safeParse(await readJson(body));
      if (!parsed.success) throw failed('The other region does not answer as an image service does');
      return parsed.data;
    } catch (error) {
      either.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  private propertiesOf(image: RemoteImage): Record<string, string> {
    return Object.fromEntries(
      Object.entries(image).filter(
        (entry): entry is [string, string] =>
          typeof entry[1] === 'string' && this.extraProperties.some((prefix) => entry[0].startsWith(prefix)),
      ),
    );
  }
}

/** The strongest digest that the other service has and that can be computed here. */
function digestsOf({
  checksum,
  os_hash_algo: algorithm,
  os_hash_value: value,
}: RemoteImage): Map<string, string> {
  const isKnown = typeof algorithm === 'string' && getHashes().includes(algorithm);
  if (isKnown && typeof value === 'string' && value !== '') return new Map([[algorithm, value]]);
  return new Map(typeof checksum === 'string' && checksum !== '' ? [['md5', checksum]] : []);
}

async function readJson(body: Readable): Promise<unknown> {
  try {
    return JSON.parse((await buffer(bounded(body))).toString('utf8'));
  } catch (error) {
    throw error instanceof ServiceError
      ? error
      : failed('The other region does not answer as an image service does', error);
  } finally {
    body.destroy();
  }
}

async function* bounded(body: Readable): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of body) {
    size += (chunk as Buffer).length;
    if (size > MAX_DOCUMENT_BYTES) throw failed('The other region answers too much');
    yield chunk as Buffer;
  }
}
