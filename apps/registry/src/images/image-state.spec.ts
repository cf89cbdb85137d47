import { imageStatuses } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import { canMove } from './image-state.js';

describe('the states of an image', () => {
  it.each([
    ['queued', 'saving uploading importing active deleted'],
    ['saving', 'queued active killed deleted'],
    ['uploading', 'queued importing deleted'],
    ['importing', 'queued active deleted'],
    ['active', 'deactivated pending_delete deleted'],
    ['deactivated', 'active pending_delete deleted'],
    ['killed', 'deleted'],
    ['pending_delete', 'active deleted'],
    ['deleted', ''],
  ] as const)('lead from %s to %s', (from, expected) => {
    const reachable = imageStatuses.filter((to) => canMove(from, to));

    expect(reachable.toSorted()).toEqual(expected.split(' ').filter(Boolean).toSorted());
  });
});
