import { HandleEvent } from '@glimpse/bus';
import { jobEvents } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { JobRunner } from './job.runner.js';

@Controller()
export class JobEvents {
  constructor(private readonly runner: JobRunner) {}

  /** One worker is woken for each job; which one gets it is decided by the claim. */
  @HandleEvent(jobEvents.ready, { delivery: 'service' })
  async wake(): Promise<void> {
    this.runner.wake();
  }
}
