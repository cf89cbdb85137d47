import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryJobs } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { JobsService } from './jobs.service.js';

type Calls = typeof registryJobs;

@Controller()
export class JobsRpc {
  constructor(private readonly jobs: JobsService) {}

  @HandleRpc(registryJobs.claim)
  async claim(request: RequestOf<Calls['claim']>): Promise<ResponseOf<Calls['claim']>> {
    return { jobs: await this.jobs.claim(request) };
  }

  @HandleRpc(registryJobs.heartbeat)
  heartbeat(request: RequestOf<Calls['heartbeat']>): Promise<ResponseOf<Calls['heartbeat']>> {
    return this.jobs.heartbeat(request);
  }

  @HandleRpc(registryJobs.complete)
  complete(request: RequestOf<Calls['complete']>): Promise<ResponseOf<Calls['complete']>> {
    return this.jobs.complete(request);
  }

  @HandleRpc(registryJobs.fail)
  fail(request: RequestOf<Calls['fail']>): Promise<ResponseOf<Calls['fail']>> {
    return this.jobs.fail(request);
  }

  @HandleRpc(registryJobs.release)
  release(request: RequestOf<Calls['release']>): Promise<ResponseOf<Calls['release']>> {
    return this.jobs.release(request);
  }
}
