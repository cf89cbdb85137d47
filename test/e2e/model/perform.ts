import type { HttpAnswer, ImageApi } from '@glimpse/testing';
import { JSON_TYPE, V21 } from '../callers.js';
import type { Command } from './commands.js';
import type { CallerName, ModelImage } from './image-model.js';
import { imageOf } from './expectations.js';

const OCTETS = { 'content-type': 'application/octet-stream' };

export interface World {
  readonly apis: Readonly<Record<CallerName, ImageApi>>;
  readonly images: readonly ModelImage[];
  /** A property that all images of this sequence have, and no others. */
  readonly run: string;
}

function listQuery({ run }: World, command: Extract<Command, { kind: 'list' }>): string {
  const query = new URLSearchParams({ run, limit: '1000' });
  const set = (name: string, value: string | boolean | undefined) => {
    if (value !== undefined) query.set(name, String(value));
  };
  set('visibility', command.visibility);
  set('member_status', command.memberStatus);
  set('os_hidden', command.isHidden);
  set('tag', command.tag);
  set('status', command.status);
  return query.toString();
}

async function preconditionOf(
  { apis }: World,
  path: string,
  ifMatch: 'current' | 'stale' | undefined,
): Promise<Record<string, string>> {
  if (ifMatch === undefined) return {};
  if (ifMatch === 'stale') return { 'if-match': '"stale"' };
  return { 'if-match': (await apis.admin.send('GET', path)).headers.get('etag') ?? '*' };
}

async function sendPatch(
  world: World,
  path: string,
  { by, operations, ifMatch }: Extract<Command, { kind: 'patch' }>,
): Promise<HttpAnswer> {
  const headers = { ...V21, ...(await preconditionOf(world, path, ifMatch)) };
  return world.apis[by].send('PATCH', path, { headers, body: JSON.stringify(operations) });
}

/** Makes the call that the command stands for. */
export function perform(world: World, command: Command): Promise<HttpAnswer> {
  const { run } = world;
  const api = world.apis[command.by];
  const path = `/v2/images/${imageOf(world.images, command)?.id ?? 'none'}`;
  const json = (body: unknown) => ({ headers: JSON_TYPE, body: JSON.stringify(body) });
  switch (command.kind) {
    case 'create': {
      const { visibility, owner, os } = command;
      const formats = { disk_format: 'raw', container_format: 'bare' };
      return api.send('POST', '/v2/images', json({ ...formats, run, visibility, owner, os }));
    }
    case 'list':
      return api.send('GET', `/v2/images?${listQuery(world, command)}`);
    case 'patch':
      return sendPatch(world, path, command);
    case 'show':
      return api.send('GET', path);
    case 'upload':
      return api.send('PUT', `${path}/file`, { headers: OCTETS, body: command.data });
    case 'download':
      return api.send('GET', `${path}/file`);
    case 'delete':
      return api.send('DELETE', path);
    case 'deactivate':
    case 'reactivate':
      return api.send('POST', `${path}/actions/${command.kind}`);
    case 'addTag':
      return api.send('PUT', `${path}/tags/${command.tag}`);
    case 'removeTag':
      return api.send('DELETE', `${path}/tags/${command.tag}`);
    case 'share':
      return api.send('POST', `${path}/members`, json({ member: command.project }));
    case 'unshare':
      return api.send('DELETE', `${path}/members/${command.project}`);
    case 'answer':
      return api.send('PUT', `${path}/members/${command.project}`, json({ status: command.status }));
    case 'showMember':
      return api.send('GET', `${path}/members/${command.project}`);
    case 'listMembers':
  }
  return api.send('GET', `${path}/members`);
}
