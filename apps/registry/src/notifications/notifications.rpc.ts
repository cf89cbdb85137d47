import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryNotifications } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { SentDataService } from './sent-data.service.js';

type Calls = typeof registryNotifications;

@Controller()
export class NotificationsRpc {
  constructor(private readonly sentData: SentDataService) {}

  @HandleRpc(registryNotifications.dataSent)
  async dataSent({ sent }: RequestOf<Calls['dataSent']>): Promise<ResponseOf<Calls['dataSent']>> {
    await this.sentData.note(sent);
    return {};
  }
}
