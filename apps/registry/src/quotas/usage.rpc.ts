import { HandleRpc } from '@glimpse/bus';
import { type ProjectUsage, type RequestOf, registryUsage } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { ProjectQuotas } from './project-quotas.js';

@Controller()
export class UsageRpc {
  constructor(private readonly quotas: ProjectQuotas) {}

  @HandleRpc(registryUsage.get)
  get({ ctx }: RequestOf<typeof registryUsage.get>): Promise<ProjectUsage> {
    return this.quotas.usageOf(ctx);
  }
}
