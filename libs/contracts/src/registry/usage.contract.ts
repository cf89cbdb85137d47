import { z } from 'zod';
import { Caller } from '../domain/caller.js';
import { rpc } from '../rpc.js';

const UsageOfLimit = z.object({ usage: z.int(), limit: z.int() });

/**
 * How much of each of its limits a project uses; sizes in whole MiB. A limit that is not set is
 * negative, or left out where nobody keeps limits of its kind.
 */
export const ProjectUsage = z.object({
  imageSizeTotal: UsageOfLimit.optional(),
  imageStageTotal: UsageOfLimit.optional(),
  imageCountTotal: UsageOfLimit.optional(),
  imageCountUploading: UsageOfLimit.optional(),
});
export type ProjectUsage = z.output<typeof ProjectUsage>;

export const registryUsage = {
  /** Of the caller's own project. */
  get: rpc('registry.usage.get', { request: z.object({ ctx: Caller }), response: ProjectUsage }),
} as const;
