import { z } from 'zod';
import { rpc } from '../rpc.js';

/** The lease of a running process; uploads and jobs hang on it. */
export const registryInstances = {
  /** Takes or renews the lease. Repeated by the holder well before `leaseMs` has passed. */
  heartbeat: rpc('registry.instance.heartbeat', {
    request: z.object({ instanceId: z.string(), service: z.string(), host: z.string() }),
    response: z.object({ leaseMs: z.int() }),
    timeoutMs: 5_000,
  }),
  /** Gives the lease up; what hangs on it is taken care of at once. */
  release: rpc('registry.instance.release', {
    request: z.object({ instanceId: z.string() }),
    response: z.object({}),
    timeoutMs: 5_000,
  }),
  /** Answers when the registry can reach its database. */
  ping: rpc('registry.instance.ping', {
    request: z.object({}),
    response: z.object({}),
    timeoutMs: 2_000,
  }),
} as const;
