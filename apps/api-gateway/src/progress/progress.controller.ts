import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { type Caller, registryTransfers } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { GatewaySettings } from '../gateway-settings.js';
import { acceptedTypes } from '../http/accept.js';
import { Body } from '../http/body-policy.js';
import { HttpError } from '../http/http-error.js';
import { sendExactly } from '../http/send-exactly.js';
import { imageIdFrom } from '../images/image-id.js';
import { type SeenBefore, seenBefore } from './last-event-id.js';
import type { Listed } from './progress-stream.js';
import { ProgressStreams, type StreamPlace } from './progress-streams.js';
import { toTransferView } from './transfer-view.js';

/** How long a token that was good is taken for good. */
const IDENTIFY_EVERY_MS = 30_000;

const TOO_MANY = {
  caller: { status: 429, text: 'You have as many streams open as one caller may. Close one first.' },
  everybody: { status: 503, text: 'This service has as many streams open as it may. Try again later.' },
} as const;

/** How uploads and jobs go, as server-sent events. Glance does not have it. */
@Controller('v2')
export class ProgressController {
  constructor(
    private readonly rpc: RpcClient,
    private readonly streams: ProgressStreams,
    private readonly settings: GatewaySettings,
  ) {}

  @Get('progress')
  @Body('reject')
  all(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    return this.show(request, reply, undefined);
  }

  @Get('images/:id/progress')
  @Body('reject')
  ofImage(
    @Param('id') id: string,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.show(request, reply, imageIdFrom(id));
  }

  private async show(
    request: FastifyRequest,
    reply: FastifyReply,
    imageId: string | undefined,
  ): Promise<void> {
    const seen = seenBefore(request.headers['last-event-id']?.toString(), Date.now());
    const [type] = acceptedTypes(request.headers.accept, ['text/event-stream', 'application/json']);
    if (type === 'application/json') {
      const { transfers } = await this.list(callerOf(request), imageId, seen.endedSince);
      const body = JSON.stringify({ transfers: transfers.map(toTransferView) });
      sendExactly(reply, 'application/json', body);
      return;
    }
    await this.stream(request, reply, imageId, seen);
  }

  private async stream(
    request: FastifyRequest,
    reply: FastifyReply,
    imageId: string | undefined,
    seen: SeenBefore,
  ): Promise<void> {
    const place = this.reserve(callerOf(request));
    try {
      const first = await this.list(callerOf(request), imageId, seen.endedSince);
      if (reply.raw.destroyed || (seen.sawEnd && isAtRest(first))) {
        // An EventSource that is answered so does not come again.
        place.release();
        void reply.code(204).send();
        return;
      }
      for (const [name, value] of Object.entries(reply.getHeaders()))
        if (value !== undefined) reply.raw.setHeader(name, value);
      reply.hijack();
      const source = { list: this.reader(request, imageId), logger: this.settings.logger };
      this.streams.open(reply.raw, place, { source, first, isResumed: seen.isResumed });
    } catch (error) {
      place.release();
      throw error;
    }
  }

  private reserve({ userId, projectId, address }: Caller): StreamPlace {
    const place = this.streams.reserve(userId ?? projectId ?? address ?? '');
    if (typeof place !== 'string') return place;
    const { status, text } = TOO_MANY[place];
    throw new HttpError(status, text, { 'retry-after': '10' });
  }

  /** Reads the state as whoever the token says is calling by then. */
  private reader(request: FastifyRequest, imageId: string | undefined): () => Promise<Listed | null> {
    let caller: Caller | null = callerOf(request);
    let identifiedAt = performance.now();
    let readAt = Date.now();
    return async () => {
      if (performance.now() - identifiedAt > IDENTIFY_EVERY_MS) {
        caller = await request.identifyAgain();
        identifiedAt = performance.now();
      }
      if (caller === null) return null;
      const { endedSince } = seenBefore(String(readAt), Date.now());
      const listed = await this.list(caller, imageId, endedSince);
      readAt = Date.now();
      return listed;
    };
  }

  private list(ctx: Caller, imageId: string | undefined, endedSince: number): Promise<Listed> {
    return this.rpc.call(registryTransfers.list, {
      ctx,
      endedSince,
      ...(imageId === undefined ? {} : { imageId }),
    });
  }
}

/** Nothing goes on, and the image has its data or none. */
const isAtRest = ({ image, transfers }: Listed) =>
  image !== null && transfers.every(({ phase }) => phase === 'done' || phase === 'failed');
