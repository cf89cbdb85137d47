import * as contracts from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import { attemptedOperation } from './attempted-operation.js';

/** The patterns of all calls that somebody makes, of every contract. */
function patterns(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Reflect.get(value, 'kind') !== 'rpc') return Object.values(value).flatMap(patterns);
  const { pattern, request } = value as contracts.RpcDefinition;
  return Reflect.has((Reflect.get(request, 'shape') ?? {}) as object, 'ctx') ? [pattern] : [];
}
const calls = Object.entries(contracts).flatMap(([name, value]) =>
  name.startsWith('registry') ? patterns(value) : [],
);

describe('attemptedOperation', () => {
  it('knows which calls change nothing', () => {
    const reads = calls.filter((pattern) => attemptedOperation(pattern).action === 'read');

    expect(reads.toSorted()).toEqual([
      'registry.cache.authorize',
      'registry.image.get',
      'registry.image.list',
      'registry.image.openDownload',
      'registry.location.list',
      'registry.member.get',
      'registry.member.list',
      'registry.metadefNamespace.get',
      'registry.metadefNamespace.list',
      'registry.metadefObject.get',
      'registry.metadefObject.list',
      'registry.metadefProperty.get',
      'registry.metadefProperty.list',
      'registry.metadefResourceType.list',
      'registry.metadefResourceType.listAssociations',
      'registry.metadefTag.get',
      'registry.metadefTag.list',
      'registry.snapshot.show',
      'registry.store.mayDescribe',
      'registry.task.get',
      'registry.task.list',
      'registry.task.listOfImage',
      'registry.transfer.list',
      'registry.usage.get',
      'registry.verification.get',
      'registry.webhook.get',
      'registry.webhook.list',
      'registry.webhook.listDeliveries',
    ]);
  });

  it.each([
    ['registry.image.create', 'create image'],
    ['registry.image.update', 'update image'],
    ['registry.image.addTag', 'create tag'],
    ['registry.image.removeTag', 'delete tag'],
    ['registry.image.deactivate', 'disable image'],
    ['registry.image.reactivate', 'enable image'],
    ['registry.image.beginUpload', 'update data'],
    ['registry.image.openDownload', 'read data'],
    ['registry.member.setStatus', 'update member'],
    ['registry.member.remove', 'delete member'],
    ['registry.store.removeImage', 'delete store'],
    ['registry.metadefResourceType.dissociate', 'delete metadef'],
    ['registry.metadefTag.createMany', 'create metadef'],
    ['registry.task.create', 'create task'],
    ['registry.snapshot.cancel', 'delete image'],
  ])('says what %s does', (pattern, operation) => {
    const { action, on } = attemptedOperation(pattern);

    expect(`${action} ${on}`).toBe(operation);
  });
});
