import { HandleRpc } from '@glimpse/bus';
import {
  type RequestOf,
  type ResponseOf,
  registryWebhookDeliveries,
  registryWebhooks,
} from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { DeliveriesService } from './deliveries.service.js';
import { DeliveryClaims } from './delivery-claims.js';
import { DeliveryOutcomes } from './delivery-outcomes.js';
import { WebhooksService } from './webhooks.service.js';

type Calls = typeof registryWebhooks;
type DeliveryCalls = typeof registryWebhookDeliveries;

@Controller()
export class WebhooksRpc {
  constructor(
    private readonly webhooks: WebhooksService,
    private readonly deliveries: DeliveriesService,
    private readonly claims: DeliveryClaims,
    private readonly outcomes: DeliveryOutcomes,
  ) {}

  @HandleRpc(registryWebhooks.create)
  create({ ctx, webhook }: RequestOf<Calls['create']>): Promise<ResponseOf<Calls['create']>> {
    return this.webhooks.create(ctx, webhook);
  }

  @HandleRpc(registryWebhooks.list)
  list({ ctx, ...page }: RequestOf<Calls['list']>): Promise<ResponseOf<Calls['list']>> {
    return this.webhooks.list(ctx, page);
  }

  @HandleRpc(registryWebhooks.get)
  get({ ctx, id }: RequestOf<Calls['get']>): Promise<ResponseOf<Calls['get']>> {
    return this.webhooks.get(ctx, id);
  }

  @HandleRpc(registryWebhooks.update)
  update({ ctx, id, changes }: RequestOf<Calls['update']>): Promise<ResponseOf<Calls['update']>> {
    return this.webhooks.update(ctx, id, changes);
  }

  @HandleRpc(registryWebhooks.delete)
  async delete({ ctx, id }: RequestOf<Calls['delete']>): Promise<ResponseOf<Calls['delete']>> {
    await this.webhooks.delete(ctx, id);
    return {};
  }

  @HandleRpc(registryWebhooks.rotateSecret)
  rotateSecret({
    ctx,
    id,
    ...rotation
  }: RequestOf<Calls['rotateSecret']>): Promise<ResponseOf<Calls['rotateSecret']>> {
    return this.webhooks.rotateSecret(ctx, id, rotation);
  }

  @HandleRpc(registryWebhooks.test)
  test({ ctx, id }: RequestOf<Calls['test']>): Promise<ResponseOf<Calls['test']>> {
    return this.deliveries.test(ctx, id);
  }

  @HandleRpc(registryWebhooks.listDeliveries)
  listDeliveries({
    ctx,
    id,
    ...page
  }: RequestOf<Calls['listDeliveries']>): Promise<ResponseOf<Calls['listDeliveries']>> {
    return this.deliveries.list(ctx, id, page);
  }

  @HandleRpc(registryWebhooks.retryDelivery)
  retryDelivery({
    ctx,
    id,
    deliveryId,
  }: RequestOf<Calls['retryDelivery']>): Promise<ResponseOf<Calls['retryDelivery']>> {
    return this.deliveries.retry(ctx, id, deliveryId);
  }

  @HandleRpc(registryWebhookDeliveries.claim)
  async claim({
    instanceId,
    limit,
  }: RequestOf<DeliveryCalls['claim']>): Promise<ResponseOf<DeliveryCalls['claim']>> {
    return { deliveries: await this.claims.claim(instanceId, limit) };
  }

  @HandleRpc(registryWebhookDeliveries.finish)
  async finish({
    id,
    leaseToken,
    outcome,
  }: RequestOf<DeliveryCalls['finish']>): Promise<ResponseOf<DeliveryCalls['finish']>> {
    return { outcome: await this.outcomes.finish(id, leaseToken, outcome) };
  }
}
