import { describe, expect, it } from '@jest/globals';
import { parseQueryString } from '../http/query-string.js';
import { checkObjectList, parseNamespaceList, parseTagList, resourceTypeOf } from './list-parameters.js';

const LIMITS = { pageDefault: 25, pageMax: 1000 };
const namespaces = (query: string) => parseNamespaceList(parseQueryString(`/x?${query}`), LIMITS);
const tags = (query: string) => parseTagList(parseQueryString(`/x?${query}`));

describe('the parameters of the list of namespaces', () => {
  it('have defaults', () => {
    expect(namespaces('')).toEqual({ limit: 25, sortKey: 'created_at', sortDirection: 'desc' });
  });

  it.each([
    ['limit=0', { limit: 0 }],
    ['limit=5000', { limit: 1000 }],
    ['limit=99999999999999999999', { limit: 1000 }],
    ['limit=1&limit=2', { limit: 2 }],
    ['visibility=public', { visibility: 'public' }],
    ['visibility=', { limit: 0 }],
    ['resource_types=A,B%3A%3AC', { resourceTypes: ['A', 'B::C'] }],
    ['sort_key=owner&sort_dir=asc', { sortKey: 'owner', sortDirection: 'asc' }],
    ['marker=', { marker: '' }],
  ])('are read from %s', (query, expected) => {
    expect(namespaces(query)).toMatchObject(expected);
  });

  it.each([
    'limit=-1',
    'limit=1.5',
    'limit=',
    'sort_key=',
    'sort_dir=',
    'visibility=x',
    'resource_types=%F0%9F%99%82',
  ])('are refused when they are %s', (query) => {
    expect(() => namespaces(query)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it('ignore what they do not know, and an empty list of resource types', () => {
    expect(namespaces('name=x&resource_types=')).toEqual(namespaces(''));
  });
});

describe('the parameters of other lists', () => {
  it('have no limit by default', () => {
    expect(tags('')).toEqual({ sortKey: 'created_at', sortDirection: 'desc' });
    expect(tags('limit=5000')).toMatchObject({ limit: 5000 });
  });

  it.each(['limit=0', 'limit=a', 'sort_key=owner', 'sort_dir=x'])('of tags are refused: %s', (query) => {
    expect(() => tags(query)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it.each(['limit=0', 'visibility=', 'sort_dir=x'])('of objects are refused: %s', (query) => {
    expect(() => checkObjectList(parseQueryString(`/x?${query}`))).toThrow(
      expect.objectContaining({ code: 'REQUEST_INVALID' }),
    );
  });

  it('name a resource type', () => {
    expect(resourceTypeOf(parseQueryString('/x?resource_type=A%3A%3AB'))).toBe('A::B');
    expect(resourceTypeOf(parseQueryString('/x'))).toBeUndefined();
  });
});
