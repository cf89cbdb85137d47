import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryImports } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { ConversionsService } from './conversions.service.js';
import { ImportsService } from './imports.service.js';
import { StagingService } from './staging.service.js';

type Calls = typeof registryImports;

@Controller()
export class ImportsRpc {
  constructor(
    private readonly imports: ImportsService,
    private readonly staging: StagingService,
    private readonly conversions: ConversionsService,
  ) {}

  @HandleRpc(registryImports.beginStaging)
  beginStaging(request: RequestOf<Calls['beginStaging']>): Promise<ResponseOf<Calls['beginStaging']>> {
    return this.staging.begin(request);
  }

  @HandleRpc(registryImports.commitStaging)
  async commitStaging(
    request: RequestOf<Calls['commitStaging']>,
  ): Promise<ResponseOf<Calls['commitStaging']>> {
    await this.staging.commit(request);
    return {};
  }

  @HandleRpc(registryImports.begin)
  async begin({ ctx, id, request }: RequestOf<Calls['begin']>): Promise<ResponseOf<Calls['begin']>> {
    await this.imports.begin(ctx, id, request);
    return {};
  }

  @HandleRpc(registryImports.convert)
  convert({ ctx, id, request }: RequestOf<Calls['convert']>): Promise<ResponseOf<Calls['convert']>> {
    return this.conversions.begin(ctx, id, request);
  }
}
