import { taskFilters, taskSortKeys } from '@glimpse/contracts';
import { z } from 'zod';
import { PublishedSchema } from '../images/schemas.openapi.js';
import { type DescribeRoutes, type RouteParameter, json } from '../openapi/route-description.js';
import { NewTaskBody, TaskDocument, TaskStub } from './tasks.schema.js';

const tag = 'Tasks';
const id: RouteParameter = { in: 'path', name: 'id', description: 'The id of the task.' };
const TaskList = z
  .object({
    tasks: z.array(TaskStub),
    first: z.string(),
    next: z.string().optional(),
    schema: z.string(),
  })
  .meta({ id: 'Tasks' });
const ImageTasks = z.object({ tasks: z.array(z.looseObject({ id: z.string() })) }).meta({ id: 'ImageTasks' });
const query = (name: string, description: string, schema?: z.ZodType): RouteParameter => ({
  in: 'query',
  name,
  description,
  ...(schema === undefined ? {} : { schema }),
});
const listParameters: readonly RouteParameter[] = [
  query('limit', 'Tasks on the page at most.', z.int().min(0)),
  query('marker', 'The id of the last task of the page before.'),
  query('sort_key', 'What the list is ordered by.', z.enum(taskSortKeys)),
  query('sort_dir', 'In which direction.', z.enum(['asc', 'desc'])),
  ...taskFilters.map((name) => query(name, 'Exactly this.')),
];
const FORBIDDEN = 'The caller may not use tasks.';

const schemaRoute = (name: 'task' | 'tasks', what: string) => ({
  method: 'GET' as const,
  path: `/v2/schemas/${name}` as const,
  tag: 'Schemas',
  summary: `The schema of ${what}`,
  answers: { 200: { description: 'The schema.', content: json(PublishedSchema) } },
});

export const describeTasks: DescribeRoutes = () => [
  {
    method: 'GET',
    path: '/v2/tasks',
    tag,
    summary: 'List tasks',
    isDeprecated: true,
    parameters: listParameters,
    answers: { 200: { description: 'The page.', content: json(TaskList) } },
    errors: { 400: 'A parameter makes no sense, or the marker is no task.', 403: FORBIDDEN },
  },
  {
    method: 'POST',
    path: '/v2/tasks',
    tag,
    summary: 'Ask for a task',
    description:
      'Kept for old clients. `import` makes an image of what is behind a URL, which is gone again if that can not be had; tasks of the other types are begun by the calls for them, and fail when they are asked for here.',
    isDeprecated: true,
    body: { content: json(NewTaskBody), isRequired: true },
    answers: {
      201: {
        description: 'The task.',
        content: json(TaskDocument),
        headers: { Location: 'The URL of the task.' },
      },
    },
    errors: {
      400: 'The document is not what the schema wants, or names a URI that nobody reads.',
      403: FORBIDDEN,
    },
  },
  {
    method: 'GET',
    path: '/v2/tasks/:id',
    tag,
    summary: 'Show a task',
    isDeprecated: true,
    parameters: [id],
    answers: { 200: { description: 'The task.', content: json(TaskDocument) } },
    errors: { 403: FORBIDDEN, 404: 'There is no such task.' },
  },
  {
    method: 'GET',
    path: '/v2/images/:id/tasks',
    tag,
    summary: 'List the tasks of an image',
    description: 'Others than admins see those of their own project.',
    parameters: [{ ...id, description: 'The id of the image.' }],
    answers: { 200: { description: 'The tasks, newest first.', content: json(ImageTasks) } },
    errors: { 400: 'The request has a body.', 404: 'There is no such image.' },
  },
  schemaRoute('task', 'a task'),
  schemaRoute('tasks', 'a list of tasks'),
];
