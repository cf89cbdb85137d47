import { Controller, Delete, Get, HttpCode, Param, Patch, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { type Caller, ServiceError, WebhookDeliveryStatus, registryWebhooks } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { GatewaySettings } from '../gateway-settings.js';
import { baseUrlOf } from '../http/base-url.js';
import { Body } from '../http/body-policy.js';
import { listLinks, parsePageLimit } from '../http/pagination.js';
import { parseQueryString } from '../http/query-string.js';
import { checkStorableText } from '../http/text.js';
import {
  parseNewWebhook,
  parseRotation,
  parseWebhookPatch,
  toDeliveryView,
  toWebhookView,
  webhookPath,
} from './webhooks.schema.js';

interface OnWebhook {
  readonly ctx: Caller;
  readonly id: string;
}

function onWebhook(request: FastifyRequest, id: string): OnWebhook {
  checkStorableText('The id', id);
  return { ctx: callerOf(request), id };
}

/** What projects are told of their images, over HTTP. Glance does not have it. */
@Controller('v2/webhooks')
export class WebhooksController {
  constructor(
    private readonly rpc: RpcClient,
    private readonly settings: GatewaySettings,
  ) {}

  @Post()
  @HttpCode(201)
  async create(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const wanted = parseNewWebhook(request.body);
    const { webhook, secret } = await this.rpc.call(registryWebhooks.create, {
      ctx: callerOf(request),
      webhook: wanted,
    });
    reply.header('location', `${baseUrlOf(request.raw)}${webhookPath(webhook.id)}`);
    return { ...toWebhookView(webhook), secret };
  }

  @Get()
  @Body('ignore')
  async list(@Req() request: FastifyRequest) {
    const { pairs, page, values } = this.pageOf(request);
    const projectId = values.get('project_id');
    const { webhooks, isFullPage } = await this.rpc.call(registryWebhooks.list, {
      ctx: callerOf(request),
      ...page,
      ...(projectId === undefined ? {} : { projectId }),
    });
    return {
      webhooks: webhooks.map(toWebhookView),
      ...listLinks('/v2/webhooks', pairs, isFullPage ? webhooks.at(-1)?.id : undefined),
    };
  }

  @Get(':id')
  @Body('ignore')
  async show(@Param('id') id: string, @Req() request: FastifyRequest) {
    return toWebhookView(await this.rpc.call(registryWebhooks.get, onWebhook(request, id)));
  }

  @Patch(':id')
  async update(@Param('id') id: string, @Req() request: FastifyRequest) {
    const changes = parseWebhookPatch(request.body);
    return toWebhookView(
      await this.rpc.call(registryWebhooks.update, { ...onWebhook(request, id), changes }),
    );
  }

  @Delete(':id')
  @Body('reject')
  @HttpCode(204)
  async remove(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    await this.rpc.call(registryWebhooks.delete, onWebhook(request, id));
  }

  @Post(':id/rotate-secret')
  @HttpCode(200)
  async rotateSecret(@Param('id') id: string, @Req() request: FastifyRequest) {
    const rotation = parseRotation(request.body);
    const { webhook, secret } = await this.rpc.call(registryWebhooks.rotateSecret, {
      ...onWebhook(request, id),
      ...rotation,
    });
    return { ...toWebhookView(webhook), secret };
  }

  @Post(':id/test')
  @Body('reject')
  @HttpCode(202)
  async test(@Param('id') id: string, @Req() request: FastifyRequest) {
    return toDeliveryView(await this.rpc.call(registryWebhooks.test, onWebhook(request, id)));
  }

  @Get(':id/deliveries')
  @Body('ignore')
  async listDeliveries(@Param('id') id: string, @Req() request: FastifyRequest) {
    const { pairs, page, values } = this.pageOf(request);
    const status = parseStatus(values.get('status'));
    const { deliveries, isFullPage } = await this.rpc.call(registryWebhooks.listDeliveries, {
      ...onWebhook(request, id),
      ...page,
      ...(status === undefined ? {} : { status }),
    });
    return {
      deliveries: deliveries.map(toDeliveryView),
      ...listLinks(`${webhookPath(id)}/deliveries`, pairs, isFullPage ? deliveries.at(-1)?.id : undefined),
    };
  }

  @Post(':id/deliveries/:delivery/retry')
  @Body('reject')
  @HttpCode(202)
  async retryDelivery(
    @Param('id') id: string,
    @Param('delivery') deliveryId: string,
    @Req() request: FastifyRequest,
  ) {
    checkStorableText('The id', deliveryId);
    const call = { ...onWebhook(request, id), deliveryId };
    return toDeliveryView(await this.rpc.call(registryWebhooks.retryDelivery, call));
  }

  private pageOf(request: FastifyRequest) {
    const pairs = parseQueryString(request.url);
    const values = new Map(pairs);
    for (const value of values.values()) checkStorableText('The query', value);
    const marker = values.get('marker');
    const limit = parsePageLimit(values.get('limit'), this.settings.config.limits);
    return { pairs, values, page: { limit, ...(marker === undefined ? {} : { marker }) } };
  }
}

function parseStatus(text: string | undefined): WebhookDeliveryStatus | undefined {
  if (text === undefined) return undefined;
  const status = WebhookDeliveryStatus.safeParse(text);
  if (!status.success) throw new ServiceError('REQUEST_INVALID', `Invalid status value: ${text}`);
  return status.data;
}
