import { z } from 'zod';

/** Limits of a project that the identity service keeps, in place of the configured ones; negative for none. */
export const ProjectLimits = z.object({
  imageCountTotal: z.int().optional(),
  /** MiB. */
  imageSizeTotal: z.int().optional(),
  imageCountUploading: z.int().optional(),
  /** MiB. */
  imageStageTotal: z.int().optional(),
});
export type ProjectLimits = z.output<typeof ProjectLimits>;

/** Who is calling, as the gateway established it; the registry decides what they may do. */
export const Caller = z.object({
  requestId: z.string(),
  userId: z.string().nullable(),
  /** The project that owns what the caller creates; null for a caller without a project. */
  projectId: z.string().nullable(),
  domainId: z.string().nullable(),
  /** `all` for a system-scoped identity. */
  systemScope: z.string().nullable(),
  /** Lower-cased. */
  roles: z.array(z.string()),
  serviceRoles: z.array(z.string()),
  userName: z.string().optional(),
  userDomainId: z.string().optional(),
  projectDomainId: z.string().optional(),
  isAdminProject: z.boolean().optional(),
  serviceUserId: z.string().optional(),
  serviceUserDomainId: z.string().optional(),
  serviceProjectId: z.string().optional(),
  serviceProjectDomainId: z.string().optional(),
  /** Nobody in particular: may look, where the policy lets them, and change nothing. */
  isReadOnly: z.boolean().optional(),
  /** The network address that the request came from. */
  address: z.string().optional(),
  limits: ProjectLimits.optional(),
});
export type Caller = z.output<typeof Caller>;
