import type { Command, Operation } from './commands.js';
import {
  type CallerName,
  type ListFilter,
  type ModelImage,
  type Visibility,
  governs,
  isListed,
  isMemberRole,
  mayAnswerFor,
  mayPublishAs,
  mayReadData,
  projectOf,
  sees,
  seesMember,
  seesMembers,
} from './image-model.js';

/** What has to come of a call. */
export interface Outcome {
  readonly status: number;
  /** What it does to the images; given the id of the image where it makes one. */
  readonly apply?: (id: string) => void;
  /** The ids of the images, or the members, that it answers with. */
  readonly listed?: readonly string[];
  readonly data?: string;
}

const refused = (status: number): Outcome => ({ status });

/** The image that a command is about: absent where none was made yet. */
export const imageOf = (images: readonly ModelImage[], command: Command): ModelImage | undefined =>
  images[command.image % Math.max(1, images.length)];

export function expectedOutcome(images: ModelImage[], command: Command): Outcome {
  if (command.kind === 'create') return creating(images, command);
  if (command.kind === 'list') return listing(images, command);
  const image = imageOf(images, command);
  // Names that nobody may set are refused before the image is looked for.
  if (command.kind === 'patch' && command.operations.some(({ path }) => /^\/(status|os_glance)/.test(path)))
    return refused(403);
  if (image === undefined || !sees(command.by, image)) return refused(404);
  switch (command.kind) {
    case 'show':
      return refused(200);
    case 'patch':
      return patching(image, command);
    case 'share':
    case 'unshare':
    case 'answer':
    case 'showMember':
    case 'listMembers':
      return sharing(image, command);
    case 'download':
      return downloading(image, command.by);
    case 'upload':
    case 'delete':
    case 'deactivate':
    case 'reactivate':
    case 'addTag':
    case 'removeTag':
  }
  return governs(command.by, image) ? changing(image, command) : refused(403);
}

function creating(images: ModelImage[], command: Extract<Command, { kind: 'create' }>): Outcome {
  const { by, visibility = 'shared', owner = projectOf[by], os } = command;
  const mayCreateFor = by === 'admin' || owner === projectOf[by];
  if (!isMemberRole(by) || !mayCreateFor || !mayPublishAs(by, visibility)) return refused(403);
  return {
    status: 201,
    apply: (id) =>
      images.push({
        id,
        owner,
        visibility,
        status: 'queued',
        isProtected: false,
        isHidden: false,
        diskFormat: 'raw',
        properties: new Map(os === undefined ? [] : [['os', os]]),
        tags: new Set(),
        members: new Map(),
        data: undefined,
      }),
  };
}

const listing = (images: readonly ModelImage[], command: ListFilter & { by: CallerName }): Outcome => ({
  status: 200,
  listed: images.filter((image) => isListed(command.by, image, command)).map(({ id }) => id),
});

function downloading(image: ModelImage, by: CallerName): Outcome {
  if (!mayReadData(by, image)) return refused(403);
  return image.data === undefined ? refused(204) : { status: 200, data: image.data };
}

function patching(image: ModelImage, command: Extract<Command, { kind: 'patch' }>): Outcome {
  const { by, operations, ifMatch } = command;
  if (operations.length > 0 && !governs(by, image)) return refused(403);
  if (ifMatch === 'stale') return refused(412);
  const draft = { ...image, properties: new Map(image.properties) };
  for (const operation of operations) {
    const refusal = patchOne(draft, operation, by);
    if (refusal !== undefined) return refused(refusal);
  }
  return { status: 200, apply: () => replace(image, draft) };
}

function replace(image: ModelImage, draft: ModelImage): void {
  const { properties, ...attributes } = draft;
  Object.assign(image, attributes);
  image.properties.clear();
  for (const [name, value] of properties) image.properties.set(name, value);
}

/** Makes the change, or says with which status it is refused. */
function patchOne(draft: ModelImage, { op, path, value }: Operation, by: CallerName): number | undefined {
  const name = path.slice(1);
  switch (name) {
    case 'name':
      return op === 'remove' ? 403 : undefined;
    case 'visibility':
      if (!mayPublishAs(by, value as Visibility)) return 403;
      draft.visibility = value as Visibility;
      return undefined;
    case 'protected':
      draft.isProtected = value === true;
      return undefined;
    case 'os_hidden':
      draft.isHidden = value === true;
      return undefined;
    case 'tags':
      draft.tags = new Set(value as string[]);
      return undefined;
    case 'owner':
      if (by !== 'admin') return 403;
      draft.owner = String(value);
      return undefined;
    case 'disk_format':
      if (draft.status !== 'queued') return 403;
      draft.diskFormat = String(value);
      return undefined;
    default:
      if (op !== 'add' && !draft.properties.has(name)) return 409;
      if (op === 'remove') draft.properties.delete(name);
      else draft.properties.set(name, String(value));
      return undefined;
  }
}

type Changing = Extract<
  Command,
  { kind: 'upload' | 'delete' | 'deactivate' | 'reactivate' | 'addTag' | 'removeTag' }
>;

function changing(image: ModelImage, command: Changing): Outcome {
  switch (command.kind) {
    case 'upload':
      if (image.status !== 'queued') return refused(409);
      // What is uploaded is no disk of any format.
      if (image.diskFormat !== 'raw') return refused(415);
      return { status: 204, apply: () => Object.assign(image, { status: 'active', data: command.data }) };
    case 'delete':
      if (image.isProtected) return refused(403);
      return { status: 204, apply: () => Object.assign(image, { status: 'deleted' }) };
    case 'deactivate':
    case 'reactivate':
      if (image.status === 'queued') return refused(403);
      return {
        status: 204,
        apply: () =>
          Object.assign(image, { status: command.kind === 'deactivate' ? 'deactivated' : 'active' }),
      };
    case 'addTag':
      return { status: 204, apply: () => image.tags.add(command.tag) };
    case 'removeTag':
  }
  if (!image.tags.has(command.tag)) return refused(404);
  return { status: 204, apply: () => image.tags.delete(command.tag) };
}

type Sharing = Extract<Command, { kind: 'share' | 'unshare' | 'answer' | 'showMember' | 'listMembers' }>;

function sharing(image: ModelImage, command: Sharing): Outcome {
  const { by, kind } = command;
  const isShared = image.visibility === 'shared';
  const knows = (project: string) => image.members.has(project) && seesMember(by, image, project);
  switch (kind) {
    case 'showMember':
      return refused(isShared && seesMembers(by, image) && knows(command.project) ? 200 : 404);
    case 'listMembers':
      if (!isShared || !seesMembers(by, image)) return refused(403);
      return { status: 200, listed: [...image.members.keys()].filter(knows) };
    case 'share':
      if (!isShared || !governs(by, image)) return refused(403);
      if (image.members.has(command.project)) return refused(409);
      return { status: 200, apply: () => image.members.set(command.project, 'pending') };
    case 'unshare':
      if (!isShared || !governs(by, image)) return refused(403);
      if (!image.members.has(command.project)) return refused(404);
      return { status: 204, apply: () => image.members.delete(command.project) };
    case 'answer':
  }
  if (!isShared || !mayAnswerFor(by, image)) return refused(403);
  if (!knows(command.project)) return refused(404);
  return { status: 200, apply: () => image.members.set(command.project, command.status) };
}
