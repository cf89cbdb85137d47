import { randomUUID } from 'node:crypto';
import { type INestMicroservice, Controller, Inject } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { type BusStrategy, HandleRpc, createBusStrategy } from '@glimpse/bus';
import { loadConfig } from '@glimpse/config';
import { type RequestOf, type Snapshot, ServiceError, registrySnapshots } from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';

type Asked = RequestOf<typeof registrySnapshots.request>;

/** A registry that remembers what it was asked for and accepts everything; for what the gateway alone decides. */
export class RegistryUnderTest {
  readonly asked: Asked[] = [];
  readonly cancelled: string[] = [];
  /** Thrown at the next requests, one each. */
  readonly failures: unknown[] = [];
  private readonly known = new Map<string, Snapshot>();

  find(requestId: string): Asked[] {
    return this.asked.filter(({ request }) => request.request_id === requestId);
  }

  request(asked: Asked): Snapshot {
    this.asked.push(asked);
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const { request, ctx } = asked;
    const snapshot = this.known.get(request.request_id) ?? {
      requestId: request.request_id,
      projectId: ctx.projectId ?? '',
      instanceId: request.instance_id,
      imageId: randomUUID(),
      taskId: randomUUID(),
      status: 'accepted' as const,
      error: null,
      data: null,
      createdAt: new Date().toISOString(),
      updatedAt: new Date().toISOString(),
    };
    this.known.set(request.request_id, snapshot);
    return snapshot;
  }

  show(requestId: string): Snapshot {
    const snapshot = this.known.get(requestId);
    if (snapshot === undefined) throw new ServiceError('SNAPSHOT_NOT_FOUND', `No snapshot ${requestId}`);
    return snapshot;
  }
}

@Controller()
class SnapshotRpc {
  constructor(@Inject(RegistryUnderTest) private readonly registry: RegistryUnderTest) {}

  @HandleRpc(registrySnapshots.request)
  async request(asked: Asked): Promise<Snapshot> {
    return this.registry.request(asked);
  }

  @HandleRpc(registrySnapshots.cancel)
  async cancel({ requestId }: RequestOf<typeof registrySnapshots.cancel>): Promise<Snapshot> {
    this.registry.cancelled.push(requestId);
    return this.registry.show(requestId);
  }

  @HandleRpc(registrySnapshots.show)
  async show({ by }: RequestOf<typeof registrySnapshots.show>): Promise<Snapshot> {
    return this.registry.show(by.kind === 'request' ? by.requestId : by.imageId);
  }
}

/** Puts it on the bus of that URL; resolves with how to end it. */
export async function serve(registry: RegistryUnderTest, url: string): Promise<() => Promise<void>> {
  const module = await Test.createTestingModule({
    controllers: [SnapshotRpc],
    providers: [{ provide: RegistryUnderTest, useValue: registry }],
  }).compile();
  const strategy: BusStrategy = createBusStrategy({
    service: 'registry',
    instanceId: `registry-${randomUUID()}`,
    url,
    options: loadConfig({}).bus,
    logger: createLogger('registry', { level: 'silent' }),
  });
  const app: INestMicroservice = module.createNestMicroservice({ strategy, logger: false });
  await app.listen();
  return async () => {
    await strategy.close(0);
    await app.close();
  };
}
