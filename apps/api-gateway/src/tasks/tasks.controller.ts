import { All, Controller, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RpcClient } from '@glimpse/bus';
import { registryTasks } from '@glimpse/contracts';
import { callerOf } from '../auth/request-context.js';
import { GatewaySettings } from '../gateway-settings.js';
import { baseUrlOf } from '../http/base-url.js';
import { Body } from '../http/body-policy.js';
import { routeNotFound } from '../http/http-error.js';
import { listLinks } from '../http/pagination.js';
import { parseQueryString } from '../http/query-string.js';
import { imageIdFrom } from '../images/image-id.js';
import { type ImageSchema, createNewImageSchema } from '../images/images.schema.js';
import { parseTaskQuery } from './task-query.js';
import { taskPath, toRawTask, toTaskStub, toTaskView } from './task-views.js';
import { parseNewTask, publishedTaskSchema, publishedTasksSchema } from './tasks.schema.js';

/** What is done in the background, as Glance's tasks. */
@Controller('v2')
export class TasksController {
  private readonly imageSchema: ImageSchema;

  constructor(
    private readonly rpc: RpcClient,
    private readonly settings: GatewaySettings,
  ) {
    this.imageSchema = createNewImageSchema(settings.config.images);
  }

  @Get('tasks')
  @Body('ignore')
  async list(@Req() request: FastifyRequest) {
    const pairs = parseQueryString(request.url);
    const query = parseTaskQuery(pairs, this.settings.config.limits);
    const { tasks, isFullPage } = await this.rpc.call(registryTasks.list, { ctx: callerOf(request), query });
    return {
      tasks: tasks.map(toTaskStub),
      ...listLinks('/v2/tasks', pairs, isFullPage ? tasks.at(-1)?.id : undefined),
      schema: '/v2/schemas/tasks',
    };
  }

  @Post('tasks')
  @HttpCode(201)
  async create(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply) {
    const task = await this.rpc.call(registryTasks.create, {
      ctx: callerOf(request),
      ...parseNewTask(request.body, this.imageSchema),
    });
    reply.header('location', `${baseUrlOf(request.raw)}${taskPath(task.id)}`);
    return toTaskView(task);
  }

  @Get('tasks/:id')
  @Body('ignore')
  async show(@Param('id') id: string, @Req() request: FastifyRequest) {
    return toTaskView(await this.rpc.call(registryTasks.get, { ctx: callerOf(request), id }));
  }

  /** Under Glance's router other methods are no known path here. */
  @All('images/:id/tasks')
  @Body('reject')
  @HttpCode(200)
  async listOfImage(@Param('id') id: string, @Req() request: FastifyRequest) {
    if (request.method !== 'GET') throw routeNotFound();
    const { tasks } = await this.rpc.call(registryTasks.listOfImage, {
      ctx: callerOf(request),
      id: imageIdFrom(id),
    });
    return { tasks: tasks.map(toRawTask) };
  }

  @Get('schemas/task')
  @Body('ignore')
  taskSchema(): object {
    return publishedTaskSchema;
  }

  @Get('schemas/tasks')
  @Body('ignore')
  tasksSchema(): object {
    return publishedTasksSchema;
  }
}
