import { describe, expect, it } from '@jest/globals';
import { NbdError } from './nbd-error.js';
import { describeEndpoint, parseNbdUri } from './nbd-uri.js';

const tcp = (host: string, port = 10_809) => ({ kind: 'tcp', host, port });
const unix = (path: string) => ({ kind: 'unix', path });

describe('an NBD URI', () => {
  it.each([
    ['nbd://example.com', tcp('example.com'), ''],
    ['nbd://example.com/', tcp('example.com'), ''],
    ['NBD://example.com:10810/disk', tcp('example.com', 10_810), 'disk'],
    ['nbd://example.com//disk', tcp('example.com'), '/disk'],
    ['nbd://example.com/hello%20world', tcp('example.com'), 'hello world'],
    ['nbd://example.com/a/../b+c', tcp('example.com'), 'a/../b+c'],
    ['nbd://[2001:db8::1]:1/x', tcp('2001:db8::1', 1), 'x'],
    ['nbd+unix:///?socket=/run/nbd.sock', unix('/run/nbd.sock'), ''],
    ['nbd+unix:///disk?socket=/run/a%20b', unix('/run/a b'), 'disk'],
    ['nbd+unix:///?socket=%00/abstract', unix('\0/abstract'), ''],
  ])('%s says where and what', (uri, endpoint, exportName) => {
    expect(parseNbdUri(uri)).toEqual({ endpoint, exportName, tls: null });
  });

  it.each([
    ['nbds://example.com/', { hostname: 'example.com', verifyPeer: true }],
    ['nbds://10.0.0.1/?tls-hostname=host&tls-type=x509', { hostname: 'host', verifyPeer: true }],
    ['nbds+unix:///?socket=/s', { hostname: 'localhost', verifyPeer: true }],
    ['nbds+unix:///?socket=/s&tls-verify-peer=0', { hostname: 'localhost', verifyPeer: false }],
  ])('%s says how TLS is to be', (uri, tls) => {
    expect(parseNbdUri(uri).tls).toEqual(tls);
  });

  it.each([
    ['', 'must begin with'],
    ['http://example.com', 'must begin with'],
    ['nbd:example.com', 'lacks //'],
    ['nbd:///disk', 'names no host'],
    ['nbd://user@host/', 'names a user'],
    ['nbd://host:0/', 'port'],
    ['nbd://host:65536/', 'port'],
    ['nbd://[::1/', 'names no host'],
    ['nbd://[:::]/', 'IPv6'],
    ['nbd://a%20b/', 'host that is not valid'],
    ['nbd://host/#x', 'fragment'],
    ['nbd://host/%00', 'NUL'],
    ['nbd://host/%ff', 'not UTF-8'],
    [`nbd://host/${'x'.repeat(4_097)}`, '4096'],
    ['nbd://host/?socket=/s', 'write nbd+unix:'],
    ['nbd://host/?tls-hostname=x', 'write nbds:'],
    ['nbds://host/?tls-certificates=/etc', 'not known'],
    ['nbds://host/?tls-type=psk', 'x509'],
    ['nbds://host/?tls-verify-peer=no', 'neither 0 nor 1'],
    ['nbds://host/?tls-hostname=', 'tls-hostname'],
    ['nbd+unix:///', 'lacks its socket'],
    ['nbd+unix://host/?socket=/s', 'three slashes'],
    ['nbd+unix:///?socket=s', 'absolute'],
    ['nbd+unix:///?socket=/a%00b', 'NUL'],
    ['nbd+unix:///?socket=/a&socket=/b', 'twice'],
    [`nbd+unix:///?socket=/${'x'.repeat(107)}`, 'longer'],
  ])('is refused: %.60s', (uri, why) => {
    expect(() => parseNbdUri(uri)).toThrow(NbdError);
    expect(() => parseNbdUri(uri)).toThrow(why);
  });

  it('names its server in messages', () => {
    expect(describeEndpoint({ kind: 'tcp', host: '::1', port: 1 })).toBe('[::1]:1');
    expect(describeEndpoint({ kind: 'unix', path: '\0x' })).toBe('@x');
  });
});
