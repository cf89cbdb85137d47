import { RpcClient } from '@glimpse/bus';
import { MAX_REPORTED_UPLOADS, type ProgressReporter, registryTransfers } from '@glimpse/contracts';
import { ProgressMeter } from '@glimpse/pipeline';
import { Injectable } from '@nestjs/common';
import { GatewaySettings } from '../gateway-settings.js';

/** Uploads that are over sooner are not worth a report. */
const REPORT_EVERY_MS = 1_000;

interface Watched {
  readonly meter: ProgressMeter;
  /** What was read last, and is not told again. */
  last: string;
}

/** An upload whose progress is told to the registry, until it ends. */
export interface WatchedUpload extends ProgressReporter {
  end(): void;
}

/** Tells the registry once a second how far the uploads of this gateway have come: one call for all of them. */
@Injectable()
export class UploadProgress {
  private readonly uploads = new Map<string, Watched>();
  private timer: NodeJS.Timeout | undefined;
  private isReporting = false;

  constructor(
    private readonly rpc: RpcClient,
    private readonly settings: GatewaySettings,
  ) {}

  /** `size` in bytes, where the client announced it. */
  watch(uploadId: string, size: number | undefined): WatchedUpload {
    const meter = new ProgressMeter('receiving', size ?? null);
    this.uploads.set(uploadId, { meter, last: '' });
    this.timer ??= setInterval(() => void this.report(), REPORT_EVERY_MS).unref();
    return {
      phase: (name, bytesTotal, bytesDone) => meter.phase(name, bytesTotal, bytesDone),
      bytes: (done) => meter.bytes(done),
      end: () => this.forget(uploadId),
    };
  }

  private forget(uploadId: string): void {
    this.uploads.delete(uploadId);
    if (this.uploads.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** A registry that answers slowly is not asked again meanwhile, and one that does not answer misses a report. */
  private async report(): Promise<void> {
    if (this.isReporting) return;
    this.isReporting = true;
    try {
      const news = this.news();
      const { instanceId } = this.settings;
      for (let from = 0; from < news.length; from += MAX_REPORTED_UPLOADS)
        await this.rpc.call(registryTransfers.report, {
          instanceId,
          uploads: news.slice(from, from + MAX_REPORTED_UPLOADS),
        });
    } catch (error) {
      this.settings.logger.debug({ err: error }, 'the progress of uploads could not be reported');
    } finally {
      this.isReporting = false;
    }
  }

  private news() {
    return [...this.uploads].flatMap(([uploadId, watched]) => {
      const progress = watched.meter.read();
      const text = JSON.stringify(progress);
      if (text === watched.last) return [];
      watched.last = text;
      return [{ uploadId, progress }];
    });
  }
}
