import { describe, expect, it } from '@jest/globals';
import {
  type RegistryUnderTest,
  aCaller,
  aNewImage,
  aQuery,
  anAdmin,
  startRegistryOn,
} from '../registry-harness.conformance.js';

export function describeMembers(registry: () => RegistryUnderTest, url: () => string): void {
  const owner = aCaller('p1');
  const consumer = aCaller('p2');
  const stranger = aCaller('p3');
  const create = (more = {}, ctx = owner) => registry().images.create(ctx, aNewImage(more));
  const rowsOf = (id: string) => registry().rows('image_members', `image_id = '${id}'`);

  it('shares an image with a project, which is to decide what it makes of that', async () => {
    const { id } = await create();

    const member = await registry().members.add(owner, id, 'p2');

    expect(member).toEqual({
      imageId: id,
      memberId: 'p2',
      status: 'pending',
      createdAt: member.updatedAt,
      updatedAt: member.updatedAt,
    });
    expect(await registry().images.get(consumer, id)).toMatchObject({ id });
    expect(await registry().members.setStatus(consumer, id, 'p2', 'accepted')).toEqual({
      ...member,
      status: 'accepted',
    });
    expect(await registry().members.get(owner, id, 'p2')).toMatchObject({ status: 'accepted' });
  });

  it('gives a removed member its row back, pending again', async () => {
    const { id } = await create();
    const first = await registry().members.add(owner, id, 'p2');
    await registry().members.setStatus(consumer, id, 'p2', 'accepted');
    await registry().members.remove(owner, id, 'p2');
    const [removed] = await rowsOf(id);
    registry().clock.pass(5_000);

    const again = await registry().members.add(owner, id, 'p2');

    expect(removed).toMatchObject({ deleted: 1, deleted_at: expect.any(String) });
    expect(again).toMatchObject({ status: 'pending', createdAt: first.createdAt });
    expect(await rowsOf(id)).toMatchObject([{ id: removed?.id, deleted: 0, deleted_at: null }]);
  });

  it('shows all members to the owner and admins, and each member itself', async () => {
    const { id } = await create();
    for (const memberId of ['p2', 'p3', 'no such project']) await registry().members.add(owner, id, memberId);
    const listFor = async (ctx = owner) =>
      (await registry().members.list(ctx, id)).map(({ memberId }) => memberId);

    expect(await listFor()).toEqual(['p2', 'p3', 'no such project']);
    expect(await listFor(anAdmin())).toEqual(['p2', 'p3', 'no such project']);
    expect(await listFor(consumer)).toEqual(['p2']);
    await expect(registry().members.get(consumer, id, 'p3')).rejects.toMatchObject({
      code: 'MEMBER_NOT_FOUND',
    });
    await expect(registry().members.list(aCaller('p4'), id)).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
    });
  });

  it.each(['Team-É', 'TEAM-é', 'team-é', 'Team-e', 'Team-é '])(
    'takes the project %j for none of another name, whatever the database thinks',
    async (other) => {
      const team = aCaller('Team-é');
      const shared = await create();
      await registry().members.add(owner, shared.id, 'Team-é');
      await create({ name: 'own', visibility: 'shared' }, team);
      const list = (ctx: typeof owner) =>
        registry().lists.list(ctx, aQuery({ memberStatus: 'all', visibility: 'shared', isCounted: true }));

      await expect(registry().images.get(team, shared.id)).resolves.toMatchObject({ id: shared.id });
      await expect(registry().images.get(aCaller(other), shared.id)).rejects.toMatchObject({
        code: 'IMAGE_NOT_FOUND',
      });
      expect(await list(aCaller(other))).toMatchObject({ images: [], count: { value: 0 } });
      expect((await list(team)).images.map(({ id }) => id)).toContain(shared.id);
    },
  );

  it.each(['private', 'public', 'community'] as const)('has no members on a %s image', async (visibility) => {
    const admin = anAdmin('p1');
    const { id } = await create({ visibility }, admin);
    const refusal = { code: 'ACTION_FORBIDDEN' };

    await expect(registry().members.add(admin, id, 'p2')).rejects.toMatchObject(refusal);
    await expect(registry().members.list(admin, id)).rejects.toMatchObject(refusal);
    await expect(registry().members.remove(admin, id, 'p2')).rejects.toMatchObject(refusal);
    await expect(registry().members.setStatus(admin, id, 'p2', 'accepted')).rejects.toMatchObject(refusal);
    await expect(registry().members.get(admin, id, 'p2')).rejects.toMatchObject({ code: 'MEMBER_NOT_FOUND' });
  });

  it('keeps who may do what apart', async () => {
    const { id } = await create();
    await registry().members.add(owner, id, 'p2');
    const { members } = registry();

    await expect(members.add(consumer, id, 'p3')).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
    await expect(members.add(stranger, id, 'p3')).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await expect(members.add(owner, id, 'p2')).rejects.toMatchObject({ code: 'MEMBER_DUPLICATE' });
    await expect(members.setStatus(owner, id, 'p2', 'accepted')).rejects.toMatchObject({
      code: 'ACTION_FORBIDDEN',
    });
    await expect(members.setStatus(stranger, id, 'p2', 'accepted')).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
    });
    await expect(members.setStatus(consumer, id, 'p2', 'gone')).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    });
    await expect(members.setStatus(consumer, id, 'p3', 'rejected')).rejects.toMatchObject({
      code: 'MEMBER_NOT_FOUND',
    });
    await expect(members.remove(consumer, id, 'p2')).rejects.toMatchObject({ code: 'ACTION_FORBIDDEN' });
    await expect(members.remove(owner, id, 'p3')).rejects.toMatchObject({ code: 'MEMBER_NOT_FOUND' });
    expect(await members.setStatus(anAdmin(), id, 'p2', 'rejected')).toMatchObject({ status: 'rejected' });
    expect(await registry().images.get(consumer, id)).toMatchObject({ id });
  });

  it.each(['', 'x'.repeat(256), '🙂', 'a\0b'])('refuses %j as a member', async (memberId) => {
    const { id } = await create();

    await expect(registry().members.add(owner, id, memberId)).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
    });
  });

  it('remembers members while the image is not shared', async () => {
    const { id } = await create();
    await registry().members.add(owner, id, 'p2');
    const setVisibility = (value: string) =>
      registry().images.update(owner, id, [{ target: 'attribute', op: 'set', name: 'visibility', value }]);

    await setVisibility('private');
    await expect(registry().images.get(consumer, id)).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' });
    await setVisibility('shared');

    expect(await registry().members.list(owner, id)).toMatchObject([{ memberId: 'p2' }]);
  });

  it('never fails unexpectedly on names that the database may take for the same', async () => {
    const { id } = await create();
    await registry().members.add(owner, id, 'Foo');

    const outcome = await registry()
      .members.add(owner, id, 'foo')
      .catch((error: unknown) => error);

    expect(outcome).toMatchObject(
      outcome instanceof Error ? { code: 'MEMBER_DUPLICATE' } : { memberId: 'foo' },
    );
    await expect(registry().images.delete(owner, id)).resolves.toBeUndefined();
  });

  it('keeps to the quota when many are added at once, in two registries', async () => {
    const environment = { GLIMPSE_LIMITS_MEMBER_QUOTA: '5' };
    const [one, other] = [
      await startRegistryOn(url(), environment),
      await startRegistryOn(url(), environment),
    ];
    const { id } = await create();

    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? one : other).members.add(owner, id, `m${index}`),
      ),
    );

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    const refusals = outcomes.filter((outcome) => outcome.status === 'rejected');
    for (const { reason } of refusals) expect(reason).toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect(await registry().members.list(owner, id)).toHaveLength(5);
    await one.close();
    await other.close();
  });

  it('announces what changed', async () => {
    const { id } = await create();
    await registry().members.add(owner, id, 'p2');
    await registry().members.setStatus(consumer, id, 'p2', 'accepted');
    await registry().members.remove(owner, id, 'p2');

    const events = await registry().rows('outbox', `subject = '${id}'`);
    const names = events.map(({ name }) => name).filter((name) => name.startsWith('image.member.'));

    expect(names).toEqual(['image.member.created', 'image.member.updated', 'image.member.deleted']);
  });

  describe('the visibility matrix', () => {
    const projects = ['admin', 'tenant1', 'tenant2', null] as const;
    const visibilities = ['public', 'private', 'shared', 'community'] as const;
    const readerOf = (projectId: string | null) => aCaller(projectId, 'reader');
    let matrix: RegistryUnderTest;

    const count = async (ctx = owner, more = {}) => {
      const query = aQuery(more);
      return (await matrix.lists.list(ctx, query)).images.length;
    };

    it('is that of Glance', async () => {
      matrix = registry();
      // Out of the way of what the other tests made.
      for (const { id } of (await matrix.lists.list(anAdmin(), aQuery({ visibility: 'all' }))).images)
        await matrix.images.delete(anAdmin(), id);
      for (const project of projects)
        for (const visibility of visibilities)
          await matrix.images.create(anAdmin(), aNewImage({ owner: project, visibility }));
      const row = async (ctx = owner) => [
        await count(ctx),
        ...(await Promise.all(visibilities.map((visibility) => count(ctx, { visibility })))),
      ];

      expect(await row(readerOf('tenant1'))).toEqual([7, 4, 1, 1, 4]);
      expect(await row(readerOf(null))).toEqual([4, 4, 0, 0, 4]);
      expect(await row(aCaller(null, 'admin'))).toEqual([12, 4, 4, 4, 4]);
      expect(await row(aCaller('admin', 'admin'))).toEqual([13, 4, 4, 4, 4]);
    });

    it('has what is shared once it is accepted', async () => {
      const tenant3 = aCaller('tenant3');
      const lists = (more = {}) => count(tenant3, more);
      const [shared] = (await matrix.lists.list(aCaller('tenant1'), aQuery({ visibility: 'shared' }))).images;
      const id = shared?.id ?? '';
      await matrix.members.add(aCaller('tenant1'), id, 'tenant3');
      const [publicOne] = (await matrix.lists.list(tenant3, aQuery({ visibility: 'public' }))).images;
      await matrix.images.delete(anAdmin(), publicOne?.id ?? '');

      expect(await lists()).toBe(3);
      expect(await lists({ visibility: 'shared' })).toBe(0);
      expect(await lists({ memberStatus: 'pending' })).toBe(4);
      expect(await lists({ memberStatus: 'all' })).toBe(4);
      expect(await lists({ memberStatus: 'pending', visibility: 'shared' })).toBe(1);
      expect(await lists({ memberStatus: 'rejected', visibility: 'shared' })).toBe(0);
      expect(await lists({ memberStatus: 'accepted', visibility: 'shared' })).toBe(0);
      await matrix.members.setStatus(tenant3, id, 'tenant3', 'accepted');
      expect(await lists()).toBe(4);
    });
  });
}
