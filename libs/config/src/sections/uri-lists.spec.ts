import { describe, expect, it } from '@jest/globals';
import { listOptions } from '../options.js';

const LISTS = /\.(dis)?allowed_(schemes|hosts|ports|addresses)$/;

describe('lists of servers', () => {
  it.each([
    ['import.web_download', 'read', 'sent'],
    ['snapshots', 'read', 'sent'],
    ['webhooks', 'sent', 'read'],
  ])('say what is done with those of %s', (section, done, notDone) => {
    const texts = listOptions()
      .filter(({ yamlPath }) => yamlPath.startsWith(`${section}.`) && LISTS.test(yamlPath))
      .map(({ description }) => description);

    expect(texts).toHaveLength(7);
    expect(texts.filter((text) => text.includes(done))).toHaveLength(3);
    expect(texts.filter((text) => text.includes(notDone))).toEqual([]);
  });
});
