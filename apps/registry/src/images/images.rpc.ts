import { HandleRpc } from '@glimpse/bus';
import { type Image, type RequestOf, type ResponseOf, registryImages } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { ImageActions } from './image-actions.js';
import { ImageDataService } from './image-data.service.js';
import { ImageListService } from './image-list.service.js';
import { ImagesService } from './images.service.js';

type Calls = typeof registryImages;

@Controller()
export class ImagesRpc {
  constructor(
    private readonly images: ImagesService,
    private readonly actions: ImageActions,
    private readonly lists: ImageListService,
    private readonly data: ImageDataService,
  ) {}

  @HandleRpc(registryImages.create)
  create({ ctx, image }: RequestOf<Calls['create']>): Promise<Image> {
    return this.images.create(ctx, image);
  }

  @HandleRpc(registryImages.get)
  get({ ctx, id }: RequestOf<Calls['get']>): Promise<Image> {
    return this.images.get(ctx, id);
  }

  @HandleRpc(registryImages.list)
  list({ ctx, query }: RequestOf<Calls['list']>): Promise<ResponseOf<Calls['list']>> {
    return this.lists.list(ctx, query);
  }

  @HandleRpc(registryImages.update)
  update({ ctx, id, changes, ifMatch }: RequestOf<Calls['update']>): Promise<Image> {
    return this.images.update(ctx, id, changes, { ifMatch });
  }

  @HandleRpc(registryImages.delete)
  async delete({ ctx, id, ifMatch }: RequestOf<Calls['delete']>): Promise<ResponseOf<Calls['delete']>> {
    await this.images.delete(ctx, id, { ifMatch });
    return {};
  }

  @HandleRpc(registryImages.deactivate)
  async deactivate({ ctx, id }: RequestOf<Calls['deactivate']>): Promise<ResponseOf<Calls['deactivate']>> {
    await this.actions.deactivate(ctx, id);
    return {};
  }

  @HandleRpc(registryImages.reactivate)
  async reactivate({ ctx, id }: RequestOf<Calls['reactivate']>): Promise<ResponseOf<Calls['reactivate']>> {
    await this.actions.reactivate(ctx, id);
    return {};
  }

  @HandleRpc(registryImages.beginUpload)
  beginUpload(request: RequestOf<Calls['beginUpload']>): Promise<ResponseOf<Calls['beginUpload']>> {
    return this.data.beginUpload(request);
  }

  @HandleRpc(registryImages.commitUpload)
  async commitUpload(request: RequestOf<Calls['commitUpload']>): Promise<ResponseOf<Calls['commitUpload']>> {
    await this.data.commitUpload(request);
    return {};
  }

  @HandleRpc(registryImages.abortUpload)
  async abortUpload(request: RequestOf<Calls['abortUpload']>): Promise<ResponseOf<Calls['abortUpload']>> {
    await this.data.abortUpload(request);
    return {};
  }

  @HandleRpc(registryImages.openDownload)
  openDownload({
    ctx,
    id,
    choosesStores,
  }: RequestOf<Calls['openDownload']>): Promise<ResponseOf<Calls['openDownload']>> {
    return this.data.openDownload(ctx, id, choosesStores);
  }
}
