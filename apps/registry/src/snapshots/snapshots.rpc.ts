import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registrySnapshots } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { SnapshotCancellation } from './snapshot-cancellation.js';
import { SnapshotsService } from './snapshots.service.js';

type Calls = typeof registrySnapshots;

@Controller()
export class SnapshotsRpc {
  constructor(
    private readonly snapshots: SnapshotsService,
    private readonly cancellation: SnapshotCancellation,
  ) {}

  @HandleRpc(registrySnapshots.request)
  request(asked: RequestOf<Calls['request']>): Promise<ResponseOf<Calls['request']>> {
    return this.snapshots.request(asked);
  }

  @HandleRpc(registrySnapshots.cancel)
  cancel({ ctx, requestId }: RequestOf<Calls['cancel']>): Promise<ResponseOf<Calls['cancel']>> {
    return this.cancellation.cancel(ctx, requestId);
  }

  @HandleRpc(registrySnapshots.show)
  show({ ctx, by }: RequestOf<Calls['show']>): Promise<ResponseOf<Calls['show']>> {
    return this.snapshots.show(ctx, by);
  }

  @HandleRpc(registrySnapshots.repliesDue)
  repliesDue({ imageId }: RequestOf<Calls['repliesDue']>): Promise<ResponseOf<Calls['repliesDue']>> {
    return this.snapshots.repliesDue(imageId);
  }
}
