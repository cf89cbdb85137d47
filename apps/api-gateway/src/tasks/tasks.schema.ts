import { type NewImage, ServiceError, TaskType, taskStatuses, taskTypes } from '@glimpse/contracts';
import { z } from 'zod';
import { ProgressDocument } from '../progress/transfer-view.js';
import type { ImageSchema } from '../images/images.schema.js';
import { parseNewImage } from '../images/new-image.js';

const UUID = /^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$/;

const JsonObject = z.record(z.string(), z.unknown());
const described = <S extends z.ZodType>(schema: S, description: string) => schema.meta({ description });

const shape = {
  id: described(z.string().regex(UUID), 'An identifier for the task'),
  type: described(z.enum(taskTypes), 'The type of task represented by this content'),
  status: described(z.enum(taskStatuses), 'The current status of this task'),
  owner: described(z.string(), 'An identifier for the owner of this task'),
  image_id: described(z.string().optional(), 'Image associated with the task'),
  request_id: described(z.string().optional(), 'Human-readable informative request-id'),
  user_id: described(z.string().optional(), 'User associated with the task'),
  expires_at: described(
    z.string().nullable().optional(),
    'Datetime when this resource would be subject to removal',
  ),
  created_at: described(z.string(), 'Datetime when this resource was created'),
  updated_at: described(z.string(), 'Datetime when this resource was updated'),
  self: z.string().meta({ readOnly: true }),
  schema: z.string().meta({ readOnly: true }),
};

/** A task in a list. */
export const TaskStub = z.object(shape).meta({ id: 'TaskStub' });

/** A task as clients see it; published as `/v2/schemas/task`. */
export const TaskDocument = z
  .object({
    ...shape,
    input: described(JsonObject.nullable(), 'The parameters required by task, JSON blob'),
    result: described(JsonObject.nullable(), 'The result of current task, JSON blob'),
    message: described(
      z.string(),
      'Human-readable informative message only included when appropriate (usually on failure)',
    ),
    progress: described(
      ProgressDocument.optional(),
      'How far the work has come, while it goes on (an addition to Glance)',
    ),
  })
  .meta({ id: 'Task' });

/** What `POST /v2/tasks` takes: the schema of a task, of which only type and input are heeded. */
export const NewTaskBody = TaskDocument.partial().strict().extend({ type: TaskType, input: JsonObject });

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

/** The kind of task, what it is given, and with `import` the image to be made. Throws REQUEST_INVALID. */
export function parseNewTask(
  body: unknown,
  schema: ImageSchema,
): Pick<z.output<typeof NewTaskBody>, 'type' | 'input'> & { image?: NewImage } {
  const parsed = NewTaskBody.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(
      `Provided object does not match schema 'task': ${issue?.path.join('.') || 'the body'}: ${issue?.message}`,
    );
  }
  const { type, input } = parsed.data;
  return type === 'import' ? { type, input, image: imageOf(input, schema) } : { type, input };
}

function imageOf(input: Record<string, unknown>, schema: ImageSchema): NewImage {
  const { import_from_format: format, image_properties: properties } = input;
  const stated = typeof properties === 'object' && properties !== null ? properties : {};
  return parseNewImage({ container_format: 'bare', disk_format: format ?? null, ...stated }, schema);
}

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** Null comes first among the types, as Glance writes it, and an object is any object. */
function toGlanceForm({ jsonSchema: node }: { jsonSchema: JsonSchema }): void {
  const types = (node.anyOf ?? []).map((option) => (typeof option === 'object' ? option.type : undefined));
  if (types.includes('null')) {
    delete node.anyOf;
    Object.assign(node, { type: types.toReversed() });
  } else if (Array.isArray(node.type)) node.type.reverse();
  delete node.propertyNames;
  if (typeof node.additionalProperties === 'object') delete node.additionalProperties;
}

const propertiesOf = (schema: z.ZodObject) =>
  z.toJSONSchema(z.object(schema.shape), { target: 'draft-7', io: 'input', override: toGlanceForm })
    .properties;

/** The document of `/v2/schemas/task`. */
export const publishedTaskSchema = { name: 'task', properties: propertiesOf(TaskDocument) };

/** The document of `/v2/schemas/tasks`. */
export const publishedTasksSchema = {
  name: 'tasks',
  properties: {
    tasks: { type: 'array', items: { name: 'task', properties: propertiesOf(TaskStub) } },
    schema: { type: 'string' },
  },
  links: [{ rel: 'describedby', href: '{schema}' }],
};
