import { z } from 'zod';

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
});
export type Caller = z.output<typeof Caller>;
