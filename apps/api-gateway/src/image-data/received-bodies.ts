import { Injectable } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callerOf } from '../auth/request-context.js';
import { GatewaySettings } from '../gateway-settings.js';
import { sendContinue } from '../http/expect-continue.js';
import { watchIdle } from '../http/idle-watch.js';
import { type UploadRequest, UploadService } from './upload.service.js';

/** Image data that comes as the body of a request. */
@Injectable()
export class ReceivedBodies {
  constructor(
    private readonly uploads: UploadService,
    private readonly settings: GatewaySettings,
  ) {}

  /** Resolves when the data is where it was to go. A client that sends nothing for long is given up. */
  async receive(
    request: FastifyRequest,
    reply: FastifyReply,
    upload: Pick<UploadRequest, 'imageId' | 'size' | 'storeId' | 'target'>,
  ): Promise<void> {
    const source = request.raw;
    const stopWatching = watchIdle(reply.raw, {
      idleMs: this.settings.config.http.idleTimeoutMs,
      isClientsTurn: () => !source.complete && source.readableLength === 0,
      onIdle: () => source.destroy(),
    });
    try {
      await this.uploads.upload({
        ...upload,
        ctx: callerOf(request),
        source,
        onAccepted: () => sendContinue(source),
      });
    } finally {
      stopWatching();
    }
  }
}
