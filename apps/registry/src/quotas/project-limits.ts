import type { Config } from '@glimpse/config';
import type { Caller } from '@glimpse/contracts';

const MIB = 1024 ** 2;

/** What a project may have; a limit that is not set is undefined. */
export interface Limits {
  readonly imageCount: number | undefined;
  readonly uploadCount: number | undefined;
  readonly storageBytes: number | undefined;
  readonly stagingBytes: number | undefined;
  /**
   * Whether bytes are counted as oslo.limit does, in whole MiB and only where they are announced: data of unknown size
   * begins while the project is not over its limit, and may go over it (spec/api-images.md section 15).
   */
  readonly areSoft: boolean;
}

const NONE: Limits = {
  imageCount: undefined,
  uploadCount: undefined,
  storageBytes: undefined,
  stagingBytes: undefined,
  areSoft: false,
};

const unlessNegative = (limit: number | undefined, unit = 1) =>
  limit === undefined || limit < 0 ? undefined : limit * unit;

const unlessZero = (limit: number) => (limit === 0 ? undefined : limit);

/**
 * The limits of the project that owns an image: those that the identity service keeps, else the configured ones. The
 * former are known for the caller's own project alone; an admin who works on another's image is not bound by any.
 */
export function limitsOf(owner: string | null, ctx: Caller, config: Pick<Config, 'limits'>): Limits {
  if (owner === null) return NONE;
  if (ctx.limits !== undefined) {
    if (owner !== ctx.projectId) return NONE;
    return {
      imageCount: unlessNegative(ctx.limits.imageCountTotal),
      uploadCount: unlessNegative(ctx.limits.imageCountUploading),
      storageBytes: unlessNegative(ctx.limits.imageSizeTotal, MIB),
      stagingBytes: unlessNegative(ctx.limits.imageStageTotal, MIB),
      areSoft: true,
    };
  }
  const { projectImageCount, projectUploadCount, projectStorage, projectStaging } = config.limits;
  return {
    imageCount: unlessNegative(projectImageCount),
    uploadCount: unlessNegative(projectUploadCount),
    storageBytes: unlessZero(projectStorage),
    stagingBytes: unlessZero(projectStaging),
    areSoft: false,
  };
}

export const toMebibytes = (bytes: number): number => Math.floor(bytes / MIB);

/** The bytes of the whole MiB in `bytes`. */
export const wholeMebibytes = (bytes: number): number => toMebibytes(bytes) * MIB;
