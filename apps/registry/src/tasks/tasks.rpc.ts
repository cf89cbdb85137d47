import { HandleRpc } from '@glimpse/bus';
import { type RequestOf, type ResponseOf, registryTasks } from '@glimpse/contracts';
import { Controller } from '@nestjs/common';
import { TasksService } from './tasks.service.js';

type Calls = typeof registryTasks;

@Controller()
export class TasksRpc {
  constructor(private readonly tasks: TasksService) {}

  @HandleRpc(registryTasks.list)
  list({ ctx, query }: RequestOf<Calls['list']>): Promise<ResponseOf<Calls['list']>> {
    return this.tasks.list(ctx, query);
  }

  @HandleRpc(registryTasks.get)
  get({ ctx, id }: RequestOf<Calls['get']>): Promise<ResponseOf<Calls['get']>> {
    return this.tasks.get(ctx, id);
  }

  @HandleRpc(registryTasks.create)
  create({ ctx, ...task }: RequestOf<Calls['create']>): Promise<ResponseOf<Calls['create']>> {
    return this.tasks.create(ctx, task);
  }

  @HandleRpc(registryTasks.listOfImage)
  async listOfImage({ ctx, id }: RequestOf<Calls['listOfImage']>): Promise<ResponseOf<Calls['listOfImage']>> {
    return { tasks: await this.tasks.listOfImage(ctx, id) };
  }
}
