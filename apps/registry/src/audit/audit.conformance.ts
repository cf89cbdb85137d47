import { AuditRecord, type Caller } from '@glimpse/contracts';
import { type RuleName, Policy } from '@glimpse/policy';
import { afterEach, expect, it } from '@jest/globals';
import { PolicyRefusal } from '../policy/policy-refusal.js';
import { type RegistryUnderTest, aCaller, aNewImage, storedAt } from '../registry-harness.conformance.js';

export function describeAudit(registry: () => RegistryUnderTest): void {
  const ctx: Caller = { ...aCaller('p1'), userName: 'ann', address: '192.0.2.7' };
  const stranger = aCaller('p2');
  afterEach(async () => {
    await registry().denied.flush();
    await registry().relay.relay();
    registry().publisher.published.length = 0;
  });

  async function records(): Promise<AuditRecord[]> {
    await registry().denied.flush();
    await registry().relay.relay();
    return registry()
      .publisher.published.filter(({ name }) => name === 'audit.recorded')
      .map(({ payload }) => AuditRecord.parse(payload));
  }
  const summary = async () =>
    (await records()).map(({ action, target, outcome }) => `${action} ${target.typeURI} ${outcome}`);
  const refusalOf = async (work: Promise<unknown>): Promise<PolicyRefusal> => {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof PolicyRefusal)) throw new Error(`not refused: ${String(error)}`);
    return error;
  };
  const refused = (rule: RuleName, targetId?: string) =>
    new PolicyRefusal('ACTION_FORBIDDEN', 'no', rule, targetId);

  it('has every change of an image', async () => {
    const { images, tags, data } = registry();
    const { id } = await images.create(ctx, aNewImage());
    await images.update(ctx, id, [{ target: 'attribute', op: 'set', name: 'name', value: 'b' }]);
    await tags.add(ctx, id, 'one');
    await tags.remove(ctx, id, 'one');
    const upload = { ctx, id, uploadId: `u-${id}`, instanceId: 'g1', storeId: 'file', size: 3 };
    await registry().instances.heartbeat({ instanceId: 'g1', service: 'api-gateway', host: 'h' });
    await data.beginUpload(upload);
    await data.commitUpload({ ctx, id, uploadId: upload.uploadId, stored: storedAt(`file:///${id}`) });
    await images.delete(ctx, id);

    expect(await summary()).toEqual([
      'create service/storage/image success',
      'update service/storage/image success',
      'create service/storage/image/tag success',
      'delete service/storage/image/tag success',
      'update service/storage/image/file success',
      'delete service/storage/image success',
    ]);
  });

  it('says who did it, from where, to what and when', async () => {
    const { id } = await registry().images.create(ctx, aNewImage());

    expect(await records()).toMatchObject([
      {
        typeURI: 'http://schemas.dmtf.org/cloud/audit/1.0/event',
        eventType: 'activity',
        eventTime: new Date(registry().clock.now()).toISOString(),
        initiator: { id: 'u1', name: 'ann', project_id: 'p1', host: { address: '192.0.2.7' } },
        target: { id },
        tags: ['request_id:req-1'],
      },
    ]);
  });

  it('has nothing of a change that was rolled back', async () => {
    const { id } = await registry().images.create(ctx, aNewImage());
    const before = (await records()).length;

    await registry()
      .images.update(ctx, id, [{ target: 'attribute', op: 'set', name: 'name', value: 'x'.repeat(256) }])
      .catch(() => undefined);

    expect(await records()).toHaveLength(before);
  });

  it('has who was refused what, also where the answer is that there is no such image', async () => {
    const { id } = await registry().images.create(ctx, aNewImage({ visibility: 'private' }));
    const reader = aCaller('p1', 'reader');
    registry().denied.note(reader, await refusalOf(registry().images.delete(reader, id)));
    registry().denied.note(stranger, await refusalOf(registry().images.get(stranger, id)));

    expect((await records()).slice(1)).toMatchObject([
      {
        action: 'delete',
        outcome: 'failure',
        reason: { reasonCode: 'ACTION_FORBIDDEN', policyId: 'delete_image' },
        initiator: { project_id: 'p1' },
        target: { id, typeURI: 'service/storage/image' },
      },
      {
        action: 'read',
        outcome: 'failure',
        reason: { reasonCode: 'IMAGE_NOT_FOUND', policyId: 'get_image' },
        initiator: { project_id: 'p2' },
        target: { id },
      },
    ]);
  });

  it('counts the same refused attempt, and writes it once', async () => {
    for (let i = 0; i < 50; i += 1) registry().denied.note(ctx, refused('delete_image', 'i1'));

    expect(await records()).toMatchObject([{ tags: ['request_id:req-1', 'count:50'] }]);
  });

  it('makes one record for each caller of a flood', async () => {
    for (let i = 0; i < 500; i += 1) registry().denied.note(ctx, refused('delete_image', `i${i}`));
    registry().denied.note(stranger, refused('delete_image', 'i1'));

    const written = await records();

    expect(written.map(({ target }) => target.id)).toEqual(['i0', 'i1', 'i2', 'unknown', 'unknown']);
    expect(written[3]?.tags).toContain('count:497');
    expect(written[4]?.initiator.project_id).toBe('p2');
  });

  it('bounds the records of a flood from many callers', async () => {
    for (let i = 0; i < 500; i += 1) registry().denied.note(aCaller(`p${i}`), refused('delete_image', 'i1'));

    expect(await records()).toHaveLength(6);
  });

  it('refuses by the rules that the operator put in place of the default ones', async () => {
    const { id } = await registry().images.create(ctx, aNewImage());
    const nobody = {
      name: 'delete_image',
      text: '!',
      expression: { kind: 'never' },
      source: 'test:1',
    } as const;
    registry().policy.use(new Policy([nobody]));

    const refusal = await refusalOf(registry().images.delete(ctx, id));
    registry().policy.use(new Policy());

    expect(refusal).toMatchObject({ code: 'ACTION_FORBIDDEN', rule: 'delete_image', targetId: id });
    await registry().images.delete(ctx, id);
  });
}
