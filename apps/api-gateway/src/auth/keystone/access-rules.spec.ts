import { describe, expect, it } from '@jest/globals';
import { isAllowedByRules } from './access-rules.js';

const allows = (path: string, originalUrl: string, more: { method?: string; service?: string } = {}) =>
  isAllowedByRules([{ service: more.service ?? 'image', method: 'GET', path }], 'image', {
    method: more.method ?? 'GET',
    originalUrl,
  });

describe('isAllowedByRules', () => {
  it.each([
    ['/v2/images', '/v2/images'],
    ['/v2/images', '/v2/images?limit=1'],
    ['/v2/images/{id}', '/v2/images/1'],
    ['/v2/images/*', '/v2/images/1'],
    ['/v2/images/*/file', '/v2/images/1/file'],
    ['/v2/**', '/v2/images/1/file'],
    ['**', '/anything'],
    ['/v2/{a}{b}', '/v2/images'],
    ['/v2/images', '/v2/im%61ges'],
    ['/v2/*s/**/x', '/v2/images/1//2/x'],
    ['/v2/images**', '/v2/images'],
  ])('%s allows %s', (path, url) => {
    expect(allows(path, url)).toBe(true);
  });

  it.each([
    ['/v2/images', '/v2/images/1'],
    ['/v2/images', '/v2/images/'],
    ['/v2/images/*', '/v2/images/1/file'],
    ['/v2/images/*', '/v2/images/'],
    ['/v2/images/{id}', '/v2/images/1/2'],
    ['/v2/image.', '/v2/images'],
    ['/v2/(images|x)', '/v2/images'],
    ['/v2/images', '/other/v2/images'],
    ['/v2/images', '/v2/images/../x?/v2/images'],
    ['/v2/images/*', '/v2/images/1%2Ffile'],
    ['/v2/images/*', '/v2/images/1%2ffile'],
    ['/v2/images/{id}', '//v2/images/1%2Ffile'],
    ['/v2/*e', '/v2/images'],
    ['/v2/{a}{b}', '/v2/i'],
  ])('%s does not allow %s', (path, url) => {
    expect(allows(path, url)).toBe(false);
  });

  it('heeds the method and the service', () => {
    expect(allows('**', '/v2/images', { method: 'POST' })).toBe(false);
    expect(allows('**', '/v2/images', { service: 'compute' })).toBe(false);
  });

  it.each(['/{a}{b}{c}{d}{e}{f}{g}{h}{i}!', `${'/**'.repeat(60)}!`, `/${'*a'.repeat(100)}!`])(
    'soon says no to the longest path, whatever the pattern: %s',
    (pattern) => {
      const start = performance.now();

      expect(allows(pattern, `/${'a'.repeat(8_000)}/${'a/'.repeat(4_000)}`)).toBe(false);

      expect(performance.now() - start).toBeLessThan(2_000);
    },
  );

  it('allows nothing without rules', () => {
    expect(isAllowedByRules([], 'image', { method: 'GET', originalUrl: '/v2/images' })).toBe(false);
  });
});
