import { type Glimpse, type Mode, startGlimpse } from '@glimpse/testing';
import { measureCpu, peakMebibytes } from './processes.js';

/** The service under measurement. */
export interface Target {
  readonly url: string;
  /** CPU seconds that all of its processes used while `work` ran; NaN where they are not ours to look at. */
  measure<T>(work: () => Promise<T>): Promise<{ result: T; cpu: number }>;
  /** The most memory each process had, e.g. `api 120, registry 90 MiB`. */
  describeMemory(): string;
  stop(): Promise<void>;
}

function processesOf(glimpse: Glimpse): { name: string; pid: number }[] {
  if (glimpse.mode === 'embedded')
    return glimpse.running('embedded').map(({ pid }) => ({ name: 'embedded', pid }));
  return (['api-gateway', 'registry', 'store-worker'] as const).flatMap((name) =>
    glimpse.running(name).map(({ pid }) => ({ name, pid })),
  );
}

/** Starts a Glimpse of its own. */
export async function startTarget(
  mode: Mode,
  env: Record<string, string> = {},
  auth: 'none' | 'headers' = 'none',
): Promise<Target> {
  const glimpse = await startGlimpse({ mode, env, auth });
  const processes = processesOf(glimpse);
  return {
    url: glimpse.url,
    measure: (work) =>
      measureCpu(
        processes.map(({ pid }) => pid),
        work,
      ),
    describeMemory: () =>
      `${processes.map(({ name, pid }) => `${name} ${peakMebibytes(pid).toFixed(0)}`).join(', ')} MiB`,
    stop: () => glimpse.stop(),
  };
}

/** A service that runs already; its processes are not looked at. */
export function runningTarget(url: string): Target {
  return {
    url: url.replace(/\/$/, ''),
    measure: async (work) => ({ result: await work(), cpu: Number.NaN }),
    describeMemory: () => 'not measured: the service is not ours',
    stop: () => Promise.resolve(),
  };
}

/** Creates an image without data; gives its id. */
export async function createImage(
  url: string,
  more: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<string> {
  const response = await fetch(`${url}/v2/images`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ name: 'bench', disk_format: 'raw', container_format: 'bare', ...more }),
  });
  if (response.status !== 201)
    throw new Error(`create answered ${response.status}: ${await response.text()}`);
  return ((await response.json()) as { id: string }).id;
}

export async function deleteImage(url: string, id: string): Promise<void> {
  await fetch(`${url}/v2/images/${id}`, { method: 'DELETE' });
}
