import { Controller, Get, Head, HttpCode, Param, Put, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type DownloadTicket, ServiceError } from '@glimpse/contracts';
import { StoreRegistry } from '@glimpse/stores';
import { callerOf } from '../auth/request-context.js';
import { GatewaySettings } from '../gateway-settings.js';
import { Body } from '../http/body-policy.js';
import { heedsRange, judgePreconditions } from '../http/entity-tags.js';
import { parseQueryString } from '../http/query-string.js';
import { type RangeRequest, requestedRange } from '../http/range.js';
import { imageIdFrom } from '../images/image-id.js';
import { entityTagOf, reprDigestOf } from './data-validators.js';
import { DownloadService, type OpenedImage } from './download.service.js';
import { parsePrefer } from './prefer.js';
import { sendBody } from './send-body.js';
import { countTransfer, whileTransferring } from './transfer-metrics.js';
import { parseUploadHeaders } from './upload-headers.js';
import { SentDataReports } from './sent-data-reports.js';
import { ReceivedBodies } from './received-bodies.js';
import { intoStore } from './upload-target.js';

/** Image data in and out, as raw streams. */
@Controller('v2/images/:id/file')
export class ImageDataController {
  private readonly stores: { isMultiStore: boolean; ids: readonly string[] };

  constructor(
    private readonly bodies: ReceivedBodies,
    private readonly downloads: DownloadService,
    private readonly reports: SentDataReports,
    stores: StoreRegistry,
    private readonly settings: GatewaySettings,
  ) {
    this.stores = { isMultiStore: settings.config.isMultiStore, ids: stores.ids };
  }

  @Put()
  @Body('own')
  @HttpCode(204)
  async put(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { size, storeId } = parseUploadHeaders(request.headers, this.stores);
    await this.bodies.receive(request, reply, { imageId: imageIdFrom(id), size, storeId, target: intoStore });
  }

  @Get()
  @Body('reject')
  async get(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const signal = this.signalOf(reply);
    const prefer = parsePrefer(parseQueryString(request.url), this.stores);
    const ticket = await this.downloads.find({ ctx: callerOf(request), imageId: imageIdFrom(id), prefer });
    if (this.isAnsweredByConditions(ticket, request, reply)) return;
    if (mayBeRedirected(request)) {
      const url = await this.downloads.directUrl({ ticket, prefer, signal });
      if (url !== undefined) {
        redirect(reply, url);
        return;
      }
    }
    const image =
      ticket.locations.length === 0
        ? null
        : await this.downloads.open({ ticket, prefer, range: rangeOf(ticket, request), signal });
    if (image === null) {
      void reply.code(204).send();
      return;
    }
    describeData(ticket, request, reply);
    await this.send(image, ticket, { request, reply, signal });
  }

  /** What GET would say of the whole image, without reading it. Glance does not have it. */
  @Head()
  @Body('reject')
  async head(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const prefer = parsePrefer(parseQueryString(request.url), this.stores);
    const ticket = await this.downloads.find({ ctx: callerOf(request), imageId: imageIdFrom(id), prefer });
    if (this.isAnsweredByConditions(ticket, request, reply)) return;
    const size =
      ticket.locations.length === 0 ? null : await this.downloads.size(ticket, this.signalOf(reply));
    if (size === null) void reply.code(204).send();
    else void describeData(ticket, request, reply).code(200).header('content-length', size).send();
  }

  /** Aborts when the client goes away, or the service ends. */
  private signalOf(reply: FastifyReply): AbortSignal {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort(new ServiceError('TRANSFER_ABORTED', 'The client went away')));
    return AbortSignal.any([gone.signal, this.settings.transfersEnd]);
  }

  /** 304 where the client has the data already; refuses where it is not the data that the client means. */
  private isAnsweredByConditions(
    ticket: DownloadTicket,
    request: FastifyRequest,
    reply: FastifyReply,
  ): boolean {
    const etag = entityTagOf(ticket);
    const verdict = judgePreconditions(request.headers, ticket.locations.length === 0 ? null : { etag });
    if (verdict === 'failed')
      throw new ServiceError('PRECONDITION_FAILED', 'The data of the image is not what If-Match names.');
    if (verdict === 'proceed') return false;
    if (etag !== undefined) reply.header('etag', etag);
    void reply.code(304).send();
    return true;
  }

  private async send(
    image: OpenedImage,
    ticket: DownloadTicket,
    { request, reply, signal }: Download,
  ): Promise<void> {
    const { stream, length, range } = image;
    reply.code(range === undefined ? 200 : 206).header('content-length', length);
    if (range !== undefined) reply.header('content-range', range.contentRange);
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (value !== undefined) reply.raw.setHeader(name, value);
    reply.hijack();
    let sent = 0;
    const onSent = (bytes: number) => {
      sent = bytes;
    };
    try {
      const { idleTimeoutMs: idleMs } = this.settings.config.http;
      await whileTransferring('out', () => sendBody(stream, reply.raw, { length, idleMs, signal, onSent }));
      countTransfer('out', 'ok', length);
      this.report(image, ticket, request, { bytesSent: length, isComplete: true });
    } catch (error) {
      // The answer has begun; the client learns of it by its broken connection.
      countTransfer('out', 'TRANSFER_ABORTED');
      this.settings.logger[signal.aborted ? 'info' : 'warn']({ err: error }, 'a download broke off');
      // As in Glance nobody is notified of a client that went away, but where the cache was read.
      if (!signal.aborted || isFromCache(image))
        this.report(image, ticket, request, { bytesSent: sent, isComplete: false });
    }
  }

  /** For those who are notified of what was sent to whom. */
  private report(
    image: OpenedImage,
    { imageId, owner = null }: DownloadTicket,
    request: FastifyRequest,
    outcome: { readonly bytesSent: number; readonly isComplete: boolean },
  ): void {
    const { projectId, userId } = callerOf(request);
    this.reports.note({
      imageId,
      ownerId: owner,
      receiverProjectId: projectId,
      receiverUserId: userId,
      destinationIp: isFromCache(image) ? (request.socket.remoteAddress ?? null) : null,
      ...outcome,
    });
  }
}

interface Download {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly signal: AbortSignal;
}

/** Glance's cache knows no ranges: what is said of its downloads is said of no part of an image. */
const isFromCache = ({ isCached, range }: OpenedImage): boolean => isCached && range === undefined;

/** What the store would not understand, or take in another sense: it has other validators, and hashes nothing. */
const KEPT_HERE = ['if-match', 'if-none-match', 'if-range', 'content-range', 'want-repr-digest'];

/** Clients repeat their headers where they are redirected to. */
function mayBeRedirected({ headers }: FastifyRequest): boolean {
  return KEPT_HERE.every((name) => headers[name] === undefined);
}

/** The URL lets whoever has it read the data: it is kept nowhere. */
function redirect(reply: FastifyReply, url: string): void {
  countTransfer('out', 'redirected');
  void reply.code(307).header('location', url).header('cache-control', 'no-store').send();
}

/** The range that is asked for. If-Range says that it is wanted of the data that the client knows, else all of it. */
function rangeOf(ticket: DownloadTicket, { headers }: FastifyRequest): RangeRequest | undefined {
  const ifRange = headers.range === undefined ? undefined : headers['if-range']?.toString();
  return heedsRange(ifRange, entityTagOf(ticket)) ? requestedRange(headers) : undefined;
}

/** What is true of the image's data, whichever part of it is sent. */
function describeData(
  ticket: DownloadTicket,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  reply.header('content-type', 'application/octet-stream').header('accept-ranges', 'bytes');
  const optional = {
    'content-md5': ticket.checksum ?? undefined,
    etag: entityTagOf(ticket),
    'repr-digest': reprDigestOf(ticket, headers['want-repr-digest']),
  };
  for (const [name, value] of Object.entries(optional)) if (value !== undefined) reply.header(name, value);
  return reply;
}
