import { createRequire } from 'node:module';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Controller, Get, Param, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { GatewaySettings } from '../gateway-settings.js';
import { OpenRoute } from '../http/body-policy.js';
import { routeNotFound } from '../http/http-error.js';
import { docsPage, startScript } from './docs-page.js';

/** The files of swagger-ui-dist that the page asks for. */
const assets: Readonly<Record<string, string>> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const packageFolder = () => dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

/** Nothing from elsewhere; requests go to the API alone. */
const contentPolicy = (apiOrigins: readonly string[]) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    `connect-src ${["'self'", ...apiOrigins].join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

/** The description of this API, for people. */
@Controller('v2/docs')
export class DocsController {
  private readonly policy: string;

  constructor({ config }: GatewaySettings) {
    const { publicEndpoint } = config;
    this.policy = contentPolicy(publicEndpoint === undefined ? [] : [new URL(publicEndpoint).origin]);
  }

  @Get()
  @OpenRoute('ignore')
  page(@Res() reply: FastifyReply): void {
    void reply
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', this.policy)
      .header('referrer-policy', 'no-referrer')
      .header('x-content-type-options', 'nosniff')
      .send(docsPage);
  }

  @Get('start.js')
  @OpenRoute('ignore')
  start(@Res() reply: FastifyReply): void {
    void reply.header('content-type', 'text/javascript; charset=utf-8').send(startScript);
  }

  @Get(':file')
  @OpenRoute('ignore')
  async asset(@Param('file') file: string, @Res() reply: FastifyReply): Promise<void> {
    const contentType = Object.hasOwn(assets, file) ? assets[file] : undefined;
    if (contentType === undefined) throw routeNotFound();
    const content = await readFile(join(packageFolder(), file));
    void reply
      .header('content-type', contentType)
      .header('cache-control', 'public, max-age=86400')
      .header('x-content-type-options', 'nosniff')
      .send(content);
  }
}
