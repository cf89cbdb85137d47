import { stat } from 'node:fs/promises';
import { All, Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { renderMetrics } from '@glimpse/observability';
import { checkReadiness } from '@glimpse/runtime';
import { GatewaySettings } from '../gateway-settings.js';
import { ReadinessChecks } from '../readiness-checks.js';
import { acceptedTypes } from './accept.js';
import { Body } from './body-policy.js';
import { sendExactly } from './send-exactly.js';

function renderHealth(accept: string | undefined, reason: string): { contentType: string; body: string } {
  const [type] = acceptedTypes(accept, ['text/plain', 'text/html', 'application/json']);
  if (type === 'application/json')
    return {
      contentType: 'application/json',
      body: JSON.stringify({ detailed: false, reasons: [reason] }, null, 4),
    };
  if (type === 'text/html')
    return { contentType: 'text/html; charset=UTF-8', body: `<ul>\n<li>${reason}</li>\n</ul>` };
  return { contentType: 'text/plain; charset=UTF-8', body: reason };
}

/** Whether this process lives and works: for load balancers, orchestrators and Prometheus. */
@Controller()
export class HealthController {
  constructor(
    private readonly settings: GatewaySettings,
    private readonly checks: ReadinessChecks,
  ) {}

  /** Glance's contract: says OK unless a file says that the node is to be drained. */
  @All('healthcheck')
  @Body('ignore')
  async healthcheck(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    const isDisabled = await this.isDisabledByFile();
    if (request.method === 'HEAD') {
      void reply.code(isDisabled ? 503 : 204).send();
      return;
    }
    const { contentType, body } = renderHealth(
      request.headers.accept,
      isDisabled ? 'DISABLED BY FILE' : 'OK',
    );
    sendExactly(reply.code(isDisabled ? 503 : 200), contentType, body);
  }

  @Get('livez')
  livez() {
    return { status: 'ok' };
  }

  @Get('readyz')
  async readyz(@Res({ passthrough: true }) reply: FastifyReply) {
    const { isReady, checks } = await checkReadiness(this.checks.all);
    reply.code(isReady ? 200 : 503);
    return { status: isReady ? 'ready' : 'not ready', checks };
  }

  @Get('metrics')
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    const { contentType, body } = await renderMetrics();
    sendExactly(reply, contentType, body);
  }

  private async isDisabledByFile(): Promise<boolean> {
    const path = this.settings.config.http.healthcheckDisableFile;
    if (path === undefined) return false;
    return stat(path).then(
      () => true,
      () => false,
    );
  }
}
