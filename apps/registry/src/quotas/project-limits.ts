import type { Config } from '@glimpse/config';
import type { Caller } from '@glimpse/contracts';

const MIB = 1024 ** 2;

/** What a project may have; a limit that is not set is undefined. */
export interface Limits {
  readonly imageCount: number | undefined;
  readonly uploadCount: number | undefined;
  readonly storageBytes: number | undefined;
  readonly stagingBytes: number | undefined;
}

const NONE: Limits = {
  imageCount: undefined,
  uploadCount: undefined,
  storageBytes: undefined,
  stagingBytes: undefined,
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
    };
  }
  const { projectImageCount, projectUploadCount, projectStorage, projectStaging } = config.limits;
  return {
    imageCount: unlessNegative(projectImageCount),
    uploadCount: unlessNegative(projectUploadCount),
    storageBytes: unlessZero(projectStorage),
    stagingBytes: unlessZero(projectStaging),
  };
}

export const toMebibytes = (bytes: number): number => Math.floor(bytes / MIB);
