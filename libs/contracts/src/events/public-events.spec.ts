import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import * as contracts from '../index.js';
import { publicEvents } from './public-events.js';

const isEvent = (value: unknown): value is contracts.EventDefinition =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'event';

/** Those of all the lists of events that the contracts have. */
const lists: unknown[] = Object.values(contracts);
const defined = lists
  .filter((value): value is object => typeof value === 'object' && value !== null)
  .flatMap((value): unknown[] => Object.values(value))
  .filter(isEvent);

describe('the public events', () => {
  it('are all that there are, each once', () => {
    const names = publicEvents.map(({ event }) => event.name);

    expect(names.toSorted()).toEqual([...new Set(defined.map(({ name }) => name))].toSorted());
    expect(new Set(names).size).toBe(names.length);
  });

  it('are in the documentation', () => {
    const documentation = readFileSync('docs/notifications.md', 'utf8');

    for (const { event } of publicEvents) expect(documentation).toContain(`| \`${event.name}\``);
  });

  it('have a sentence each, and a schema that can be written as JSON Schema', () => {
    for (const { event, description } of publicEvents) {
      expect(description).toMatch(/^[A-Z].*\.$/);
      expect(z.toJSONSchema(event.payload, { io: 'output' })).toHaveProperty('type', 'object');
    }
  });
});
