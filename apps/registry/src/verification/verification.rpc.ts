import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryVerification } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { VerificationService } from './verification.service.js';

type Calls = typeof registryVerification;

@Controller()
export class VerificationRpc {
  constructor(private readonly verification: VerificationService) {}

  @HandleRpc(registryVerification.get)
  async get({ ctx, id }: RequestOf<Calls['get']>): Promise<ResponseOf<Calls['get']>> {
    return { copies: await this.verification.get(ctx, id) };
  }

  @HandleRpc(registryVerification.request)
  async request({ ctx, id }: RequestOf<Calls['request']>): Promise<ResponseOf<Calls['request']>> {
    return { copies: await this.verification.request(ctx, id) };
  }

  @HandleRpc(registryVerification.suspect)
  async suspect({ imageId }: RequestOf<Calls['suspect']>): Promise<ResponseOf<Calls['suspect']>> {
    await this.verification.suspect(imageId);
    return {};
  }
}
