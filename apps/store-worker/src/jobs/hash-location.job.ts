import type { Config } from '@glimpse/config';
import type { JobPayload, JobResult } from '@glimpse/contracts';
import { createFormatReporter } from '@glimpse/inspector';
import type { TransferPipeline } from '@glimpse/pipeline';
import type { StoreRegistry } from '@glimpse/stores';
import type { JobContext, JobHandler } from '../runner/job-handler.js';

/** Reads the data of a registered location, to hash it and to see what it holds. Repeatable: it changes nothing. */
export class HashLocationJob implements JobHandler<'hash-location'> {
  readonly kind = 'hash-location';

  constructor(
    private readonly stores: StoreRegistry,
    private readonly pipeline: TransferPipeline,
    private readonly config: Pick<Config, 'formats' | 'limits'>,
  ) {}

  async run(
    payload: JobPayload<'hash-location'>,
    { signal, progress }: JobContext,
  ): Promise<JobResult<'hash-location'>> {
    const { driver, location } = this.stores.resolve(payload.location);
    progress.phase('hashing', payload.size);
    const source = await driver.read(location, { signal });
    try {
      return await this.pipeline.hashImage({
        source,
        hashAlgorithm: payload.algorithm,
        md5: payload.md5,
        sizeCap: this.config.limits.imageSizeCap,
        expectedSize: payload.size,
        inspector: createFormatReporter(payload, this.config.formats),
        signal,
        onProgress: (bytesDone) => progress.bytes(bytesDone),
      });
    } finally {
      source.destroy();
    }
  }
}
