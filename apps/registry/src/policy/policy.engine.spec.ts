import type { Caller, Image } from '@glimpse/contracts';
import type { SqlReader } from '@glimpse/persistence';
import { describe, expect, it } from '@jest/globals';
import { PolicyEngine } from './policy.engine.js';
import type { RuleName } from '@glimpse/policy';

const policy = new PolicyEngine();
const nobodyIsMember: SqlReader = { query: () => Promise.resolve([]) };
const everybodyIsMember: SqlReader = {
  query: <Row extends object>() => Promise.resolve([{ image_id: 'i' } as Row]),
};

const aCaller = (projectId: string | null, ...roles: string[]): Caller => ({
  requestId: 'req-1',
  userId: 'u',
  projectId,
  domainId: null,
  systemScope: null,
  roles,
  serviceRoles: [],
});
const admin = aCaller('p9', 'admin');
const member = aCaller('p1', 'member', 'reader');
const reader = aCaller('p1', 'reader');
const stranger = aCaller('p2', 'member', 'reader');
const onlyMember = aCaller('p2', 'member');

type Shown = Pick<Image, 'owner' | 'visibility'>;
const image = (owner: string | null, visibility: Image['visibility']) => ({ id: 'i', owner, visibility });

async function outcome(rule: RuleName, caller: Caller, shown: Shown, sql = nobodyIsMember): Promise<string> {
  const isChange = ['modify_image', 'delete_image', 'upload_image'].includes(rule);
  const asked = isChange
    ? policy.enforceOnOwnImage(sql, rule, caller, { id: 'i', ...shown })
    : policy.enforceOnImage(sql, rule, caller, { id: 'i', ...shown });
  return asked.then(
    () => 'yes',
    (error: unknown) => String(Reflect.get(Object(error), 'code')),
  );
}

describe('PolicyEngine', () => {
  it.each<[string, RuleName, Caller, Shown, string]>([
    ['an admin sees', 'get_image', admin, image('p1', 'private'), 'yes'],
    ['an admin changes', 'modify_image', admin, image(null, 'private'), 'yes'],
    ['its member changes', 'modify_image', member, image('p1', 'private'), 'yes'],
    ['its reader sees', 'get_image', reader, image('p1', 'private'), 'yes'],
    ['its reader does not change', 'modify_image', reader, image('p1', 'private'), 'ACTION_FORBIDDEN'],
    ['its reader does not download', 'download_image', reader, image('p1', 'private'), 'ACTION_FORBIDDEN'],
    ['a stranger does not know', 'get_image', stranger, image('p1', 'private'), 'IMAGE_NOT_FOUND'],
    ['a stranger does not know', 'delete_image', stranger, image('p1', 'private'), 'IMAGE_NOT_FOUND'],
    ['a stranger does not know', 'get_image', stranger, image('p1', 'shared'), 'IMAGE_NOT_FOUND'],
    ['a stranger sees', 'get_image', stranger, image('p1', 'community'), 'yes'],
    ['a stranger downloads', 'download_image', stranger, image('p1', 'public'), 'yes'],
    ['a stranger does not delete', 'delete_image', stranger, image('p1', 'public'), 'ACTION_FORBIDDEN'],
    ['everybody sees', 'get_image', stranger, image(null, 'shared'), 'yes'],
    ['nobody but admins sees', 'get_image', stranger, image(null, 'private'), 'IMAGE_NOT_FOUND'],
    [
      'a caller without project does not change',
      'modify_image',
      aCaller(null, 'member', 'reader'),
      image(null, 'public'),
      'ACTION_FORBIDDEN',
    ],
    ['a member that reads nothing downloads', 'download_image', onlyMember, image('p1', 'public'), 'yes'],
    ['a member that reads nothing sees', 'get_image', onlyMember, image('p1', 'public'), 'IMAGE_NOT_FOUND'],
    [
      'a member that reads nothing deletes',
      'delete_image',
      onlyMember,
      image('p1', 'public'),
      'IMAGE_NOT_FOUND',
    ],
    [
      'a system sees',
      'get_image',
      { ...admin, systemScope: 'all' },
      image('p1', 'public'),
      'IMAGE_NOT_FOUND',
    ],
  ])('%s (%s)', async (_, rule, caller, shown, expected) => {
    expect(await outcome(rule, caller, shown)).toBe(expected);
  });

  it('lets a project see and download what is shared with it, and no more', async () => {
    const shared = image('p1', 'shared');

    expect(await outcome('get_image', stranger, shared, everybodyIsMember)).toBe('yes');
    expect(await outcome('download_image', stranger, shared, everybodyIsMember)).toBe('yes');
    expect(await outcome('modify_image', stranger, shared, everybodyIsMember)).toBe('ACTION_FORBIDDEN');
    expect(await outcome('get_image', stranger, image('p1', 'private'), everybodyIsMember)).toBe(
      'IMAGE_NOT_FOUND',
    );
  });

  it.each<[RuleName, Caller]>([
    ['publicize_image', admin],
    ['communitize_image', member],
    ['add_image', member],
  ])('allows %s', (rule, caller) => {
    expect(policy.enforce(rule, caller, { owner: 'p1', visibility: 'private' })).toBeUndefined();
  });

  it.each<[RuleName, Caller]>([
    ['publicize_image', member],
    ['communitize_image', reader],
    ['add_image', reader],
    ['add_image', stranger],
    ['get_images', onlyMember],
    ['add_image', { ...member, domainId: 'd', projectId: null }],
  ])('refuses %s and names it', (rule, caller) => {
    const ask = () => {
      policy.enforce(rule, caller, { owner: 'p1', visibility: 'private' });
    };

    expect(ask).toThrow(`You are not authorized to complete ${rule} action.`);
  });
});
