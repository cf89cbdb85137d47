import * as fc from 'fast-check';
import { callerNames, memberStatuses, projectOf, visibilities } from './image-model.js';

const by = fc.constantFrom(...callerNames);
/** Which of the images that were made so far. */
const image = fc.nat(5);
const visibility = fc.constantFrom(...visibilities);
const project = fc.constantFrom(...new Set(Object.values(projectOf)));
const tag = fc.constantFrom('red', 'Red', 'blue');
const property = fc.constantFrom('os', 'distro', 'note');
const value = fc.constantFrom('', 'x', 'y');
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

/** One operation of a PATCH, in the v2.1 dialect. */
const operation = fc.oneof(
  fc.record({ op: fc.constant('add'), path: fc.constant('/name'), value }),
  fc.record({ op: fc.constant('add'), path: property.map((name) => `/${name}`), value }),
  fc.record({ op: fc.constant('replace'), path: property.map((name) => `/${name}`), value }),
  fc.record({ op: fc.constant('remove'), path: property.map((name) => `/${name}`) }),
  fc.record({ op: fc.constant('add'), path: fc.constant('/visibility'), value: visibility }),
  fc.record({ op: fc.constant('replace'), path: fc.constant('/protected'), value: fc.boolean() }),
  fc.record({ op: fc.constant('replace'), path: fc.constant('/os_hidden'), value: fc.boolean() }),
  fc.record({ op: fc.constant('add'), path: fc.constant('/tags'), value: fc.uniqueArray(tag) }),
  fc.record({ op: fc.constant('replace'), path: fc.constant('/owner'), value: project }),
  fc.record({ op: fc.constant('replace'), path: fc.constant('/disk_format'), value: fc.constant('qcow2') }),
  fc.record({ op: fc.constant('add'), path: fc.constant('/status'), value: fc.constant('active') }),
  fc.record({ op: fc.constant('add'), path: fc.constant('/os_glance_x'), value }),
  fc.record({ op: fc.constant('remove'), path: fc.constant('/name') }),
);
export type Operation = { readonly op: string; readonly path: string; readonly value?: unknown };

const of = <K extends string, S extends object>(
  kind: K,
  more: { [N in keyof S]: fc.Arbitrary<S[N]> },
): fc.Arbitrary<{ kind: K; by: (typeof callerNames)[number]; image: number } & S> =>
  fc.record({ kind: fc.constant(kind), by, image, ...more }) as never;

const create = of('create', { visibility: maybe(visibility), owner: maybe(project), os: maybe(value) });
const patch = of('patch', {
  operations: fc.array(operation as fc.Arbitrary<Operation>, { maxLength: 3 }),
  ifMatch: maybe(fc.constantFrom('current', 'stale')),
});
const list = of('list', {
  visibility: maybe(fc.constantFrom('all' as const, ...visibilities)),
  memberStatus: maybe(fc.constantFrom('all' as const, ...memberStatuses)),
  isHidden: maybe(fc.boolean()),
  tag: maybe(tag),
  status: maybe(fc.constantFrom('queued' as const, 'active', 'deactivated')),
});

const anyCommand = fc.oneof(
  { arbitrary: create, weight: 4 },
  { arbitrary: patch, weight: 5 },
  { arbitrary: list, weight: 4 },
  of('show', {}),
  of('upload', { data: fc.constantFrom('', 'data') }),
  of('download', {}),
  of('delete', {}),
  of('deactivate', {}),
  of('reactivate', {}),
  of('addTag', { tag }),
  of('removeTag', { tag }),
  { arbitrary: of('share', { project }), weight: 3 },
  of('unshare', { project }),
  { arbitrary: of('answer', { project, status: fc.constantFrom(...memberStatuses) }), weight: 3 },
  of('showMember', { project }),
  of('listMembers', {}),
);

/** A sequence of calls; the first makes an image, so that the others have one to work on. */
export const commands = fc
  .tuple(create, fc.array(anyCommand, { minLength: 5, maxLength: 30 }))
  .map(([first, rest]): Command[] => [first, ...rest]);

export type Command =
  | (typeof create extends fc.Arbitrary<infer C> ? C : never)
  | (typeof anyCommand extends fc.Arbitrary<infer C> ? C : never);
