import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryLocations } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { LocationsService } from './locations.service.js';

type Calls = typeof registryLocations;

@Controller()
export class LocationsRpc {
  constructor(private readonly locations: LocationsService) {}

  @HandleRpc(registryLocations.add)
  async add({ ctx, id, url, expected }: RequestOf<Calls['add']>): Promise<ResponseOf<Calls['add']>> {
    return { taskId: await this.locations.add(ctx, id, url, expected) };
  }

  @HandleRpc(registryLocations.list)
  async list({ ctx, id }: RequestOf<Calls['list']>): Promise<ResponseOf<Calls['list']>> {
    return { locations: await this.locations.list(ctx, id) };
  }
}
