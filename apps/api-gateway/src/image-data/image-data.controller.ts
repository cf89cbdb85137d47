import { Controller, Get, HttpCode, Param, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '@glimpse/contracts';
import { StoreRegistry } from '@glimpse/stores';
import { callerOf } from '../auth/request-context.js';
import { GatewaySettings } from '../gateway-settings.js';
import { Body } from '../http/body-policy.js';
import { sendContinue } from '../http/expect-continue.js';
import { watchIdle } from '../http/idle-watch.js';
import { parseQueryString } from '../http/query-string.js';
import { requestedRange } from '../http/range.js';
import { imageIdFrom } from '../images/image-id.js';
import { DownloadService, type OpenedImage } from './download.service.js';
import { parsePrefer } from './prefer.js';
import { sendBody } from './send-body.js';
import { countTransfer } from './transfer-metrics.js';
import { parseUploadHeaders } from './upload-headers.js';
import { UploadService } from './upload.service.js';

/** Image data in and out, as raw streams. */
@Controller('v2/images/:id/file')
export class ImageDataController {
  private readonly stores: { isMultiStore: boolean; ids: readonly string[] };
  private readonly idleMs: number;

  constructor(
    private readonly uploads: UploadService,
    private readonly downloads: DownloadService,
    stores: StoreRegistry,
    private readonly settings: GatewaySettings,
  ) {
    this.stores = { isMultiStore: settings.config.isMultiStore, ids: stores.ids };
    this.idleMs = settings.config.http.idleTimeoutMs;
  }

  @Put()
  @Body('own')
  @HttpCode(204)
  async put(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const source = request.raw;
    const { size, storeId } = parseUploadHeaders(request.headers, this.stores);
    const stopWatching = watchIdle(reply.raw, {
      idleMs: this.idleMs,
      isClientsTurn: () => !source.complete && source.readableLength === 0,
      onIdle: () => source.destroy(),
    });
    try {
      await this.uploads.upload({
        ctx: callerOf(request),
        imageId: imageIdFrom(id),
        source,
        size,
        storeId,
        onAccepted: () => sendContinue(source, reply.raw),
      });
    } finally {
      stopWatching();
    }
  }

  @Get()
  @Body('reject')
  async get(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort(new ServiceError('TRANSFER_ABORTED', 'The client went away')));
    const signal = AbortSignal.any([gone.signal, this.settings.transfersEnd]);
    const image = await this.downloads.open({
      ctx: callerOf(request),
      imageId: imageIdFrom(id),
      prefer: parsePrefer(parseQueryString(request.url), this.stores),
      range: () => requestedRange(request.headers),
      signal,
    });
    if (image === null) void reply.code(204).send();
    else await this.send(image, reply, signal);
  }

  private async send(image: OpenedImage, reply: FastifyReply, signal: AbortSignal): Promise<void> {
    const { stream, length, range, checksum } = image;
    reply.code(range === undefined ? 200 : 206);
    reply.header('content-type', 'application/octet-stream').header('content-length', length);
    if (checksum !== null) reply.header('content-md5', checksum);
    if (range !== undefined) reply.header('content-range', range.contentRange);
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    reply.hijack();
    try {
      await sendBody(stream, reply.raw, { length, idleMs: this.idleMs, signal });
      countTransfer('out', 'ok', length);
    } catch (error) {
      // The answer has begun; the client learns of it by its broken connection.
      countTransfer('out', 'TRANSFER_ABORTED');
      this.settings.logger[signal.aborted ? 'info' : 'warn']({ err: error }, 'a download broke off');
    }
  }
}
