import { Controller, Delete, Get, HttpCode, Param, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { registryStores } from '@glimpse/contracts';
import { StoreRegistry } from '@glimpse/stores';
import { callerOf } from '../auth/request-context.js';
import { GatewaySettings } from '../gateway-settings.js';
import { Body } from '../http/body-policy.js';
import { routeNotFound } from '../http/http-error.js';
import { toDetailedStoreView, toStoreView } from './store-view.js';

/** The stores, where there are several; else none of these paths leads anywhere. */
@Controller('v2')
export class StoresController {
  constructor(
    private readonly rpc: RpcClient,
    private readonly stores: StoreRegistry,
    private readonly settings: GatewaySettings,
  ) {}

  @Get('info/stores')
  @Body('reject')
  list() {
    this.requireSeveral();
    return { stores: this.stores.ids.map((id) => toStoreView(this.stores.describe(id))) };
  }

  @Get('info/stores/detail')
  @Body('reject')
  async detail(@Req() request: FastifyRequest) {
    this.requireSeveral();
    await this.rpc.call(registryStores.mayDescribe, { ctx: callerOf(request) });
    return { stores: this.stores.ids.map((id) => toDetailedStoreView(this.stores.describe(id))) };
  }

  @Delete('stores/:store/:id')
  @Body('reject')
  @HttpCode(204)
  async removeImage(
    @Param('store') storeId: string,
    @Param('id') id: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    this.requireSeveral();
    await this.rpc.call(registryStores.removeImage, { ctx: callerOf(request), storeId, id });
  }

  private requireSeveral(): void {
    if (!this.settings.config.isMultiStore) throw routeNotFound();
  }
}
