import { describe, expect, it } from '@jest/globals';
import { nbdUri, parseNbdAddress } from './nbd-address.js';
import { parseInvocation } from './options.js';
import { frozenBitmapName, newTag, parseFrozenBitmap, prefixOf, tagIn } from './tag.js';

const needed = ['snapshot', '--disk', 'vda', '--name', 'n', '--nbd-listen', '10.0.0.7:10809'];
const bus = ['--bus', 'amqp://u:p@host/v'];

describe('parseInvocation', () => {
  it('reads what a snapshot is to be', () => {
    const more = [
      '--domain',
      'vm',
      '--property',
      'a=b=c',
      '--tag',
      't',
      '--min-disk',
      '5',
      '--role',
      'member',
    ];
    const invocation = parseInvocation([...needed, ...bus, ...more, '--project', 'p'], {});

    expect(invocation).toMatchObject({
      command: 'snapshot',
      options: {
        machine: { domain: { name: 'vm' } },
        attributes: { name: 'n', disk_format: 'raw', properties: { a: 'b=c' }, tags: ['t'], min_disk: 5 },
        identity: { project_id: 'p', roles: ['member'] },
        listen: { type: 'inet', host: '10.0.0.7', port: '10809' },
        quiesce: 'preferred',
        freezeTimeoutMs: 10_000,
      },
    });
  });

  it('takes the bus and a token from the environment', () => {
    const env = { GLIMPSE_AGENT_BUS: 'amqp://h/v', GLIMPSE_AGENT_TOKEN: 't' };

    expect(parseInvocation([...needed, '--qmp', '/q'], env)).toMatchObject({
      options: { bus: 'amqp://h/v', identity: { auth: { token: 't' } }, machine: { qmp: '/q' } },
    });
  });

  it.each([
    ['a command', []],
    ['another command', ['destroy']],
    ['a machine', [...needed, ...bus]],
    ['one machine', [...needed, ...bus, '--qmp', '/q', '--domain', 'd']],
    ['a bus', [...needed, '--qmp', '/q']],
    ['the bitmap of a parent', [...needed, ...bus, '--qmp', '/q', '--parent', 'i']],
    ['a number', [...needed, ...bus, '--qmp', '/q', '--timeout', 'x']],
    ['a property', [...needed, ...bus, '--qmp', '/q', '--property', 'x']],
    ['a way to quiesce', [...needed, ...bus, '--qmp', '/q', '--quiesce', 'x']],
    ['options that are known', [...needed, ...bus, '--qmp', '/q', '--force']],
  ])('wants %s', (_, args) => {
    expect(() => parseInvocation(args, {})).toThrow(expect.objectContaining({ outcome: 'usage' }));
  });
});

describe('Addresses of NBD', () => {
  it.each([
    ['unix:/run/a b.sock', {}, 'nbd+unix:///t?socket=/run/a%20b.sock'],
    ['unix:/s', { tlsCredentials: 'x' }, 'nbds+unix:///t?socket=/s'],
    ['10.0.0.7:10809', {}, 'nbd://10.0.0.7:10809/t'],
    ['[::1]:1', {}, 'nbd://[::1]:1/t'],
    ['0.0.0.0:1', { at: { host: 'node7', port: '2' }, tlsCredentials: 'x' }, 'nbds://node7:2/t'],
  ])('of %s', (text, access, uri) => {
    expect(nbdUri(parseNbdAddress('--nbd-listen', text), 't', access)).toBe(uri);
  });

  it.each(['unix:relative', 'host', 'host:0', 'host:65536', '::1:5', 'a/b:1'])('are not %s', (text) => {
    expect(() => parseNbdAddress('--nbd-listen', text)).toThrow('--nbd-listen');
  });
});

describe('Tags', () => {
  it('name one moment of one request, and are found in what is named after them', () => {
    const tag = newTag('r');

    expect(tag.startsWith(prefixOf('r'))).toBe(true);
    expect(tag.startsWith(prefixOf('s'))).toBe(false);
    expect(newTag('r')).not.toBe(tag);
    expect(tagIn(`${tag}-f`)).toBe(tag);
    expect(tagIn('disk0')).toBeUndefined();
    expect(parseFrozenBitmap(frozenBitmapName('a.b', tag))).toEqual({ bitmap: 'a.b', tag });
    expect(parseFrozenBitmap('a.b')).toBeUndefined();
  });
});
