import type { Config } from '@glimpse/config';
import { type RunningService, once, runAllInOrder, runService } from '@glimpse/runtime';
import { startApiGateway } from '../../api-gateway/src/bootstrap.js';
import { startRegistry } from '../../registry/src/bootstrap.js';
import { startStoreWorker } from '../../store-worker/src/bootstrap.js';

/** The three services in one process; each is an application of its own and none knows of it. */
async function startEmbedded(config: Config): Promise<RunningService> {
  const running: RunningService[] = [];
  const close = once((graceMs: number) => {
    const end = performance.now() + graceMs;
    const leftMs = () => Math.max(0, end - performance.now());
    return runAllInOrder(running.toReversed().map((service) => () => service.close(leftMs())));
  });
  try {
    running.push(await startRegistry(config));
    running.push(await startStoreWorker(config));
    const gateway = await startApiGateway(config);
    running.push(gateway);
    return {
      ...(gateway.url === undefined ? {} : { url: gateway.url }),
      reload: () => running.forEach((service) => service.reload?.()),
      close,
    };
  } catch (error) {
    await close(0);
    throw error;
  }
}

await runService('glimpse', startEmbedded);
