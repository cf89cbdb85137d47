import type { Glimpse } from '@glimpse/testing';
import { cpuSeconds } from './processes.js';

/** The processes of a distributed Glimpse, each with a name of its own. */
export const serviceProcesses = (glimpse: Glimpse): { name: string; pid: number }[] =>
  (['api-gateway', 'registry', 'store-worker'] as const).flatMap((service) =>
    glimpse
      .running(service)
      .map(({ pid }, n, all) => ({ name: all.length === 1 ? service : `${service} ${n + 1}`, pid })),
  );

/** CPU seconds that all of them have used so far. */
export const serviceCpuSeconds = (glimpse: Glimpse): number =>
  serviceProcesses(glimpse).reduce((sum, { pid }) => sum + cpuSeconds(pid), 0);
