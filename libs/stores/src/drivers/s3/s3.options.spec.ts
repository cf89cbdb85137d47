import { describe, expect, it } from '@jest/globals';
import { S3Options } from './s3.options.js';

const required = { host: 'host', access_key: 'a', secret_key: 's', bucket: 'glance' };
const parse = (more: object = {}) => S3Options.parse({ ...required, ...more });
const problemsOf = (more: object) =>
  S3Options.safeParse({ ...required, ...more }).error?.issues.map(({ path }) => path.join('.'));

describe('S3Options', () => {
  it.each([
    ['host:7480', 'http://host:7480/'],
    ['http://host', 'http://host/'],
    ['https://host:8443/path', 'https://host:8443/path'],
  ])('takes the host %s for %s', (host, url) => {
    expect(parse({ host }).endpoint.href).toBe(url);
  });

  it.each([
    ['s3.eu-west-1.amazonaws.com', '', 'eu-west-1'],
    ['s3-eu-west-1.amazonaws.com', '', 'eu-west-1'],
    ['s3.dualstack.us-west-2.amazonaws.com', '', 'us-west-2'],
    ['s3.cn-north-1.amazonaws.com.cn', '', 'cn-north-1'],
    ['s3.amazonaws.com', '', 'us-east-1'],
    ['s3.eu-west-1.amazonaws.com', 'eu-west-3', 'eu-west-3'],
    ['ceph.example.org', '', 'us-east-1'],
    ['ceph.example.org', 'default', 'default'],
  ])('finds the region of %s, %j: %s', (host, region_name, region) => {
    expect(parse({ host, region_name }).region).toBe(region);
  });

  it('puts the bucket into the name of hosts that are known for it, unless told', () => {
    const amazon = { host: 's3.eu-west-1.amazonaws.com' };

    expect(parse().bucketInPath).toBe(true);
    expect(parse(amazon).bucketInPath).toBe(false);
    expect(parse({ ...amazon, bucket: 'with.dots' }).bucketInPath).toBe(true);
    expect(parse({ bucket_url_format: 'virtual' }).bucketInPath).toBe(false);
  });

  it('looks at the choice of checksums only where integrity is to be protected', () => {
    const both = { request_checksum_calculation: 'when_supported' };

    expect(parse(both).requestChecksums).toBe('WHEN_REQUIRED');
    expect(parse({ ...both, enable_data_integrity_protection: 'true' }).requestChecksums).toBe(
      'WHEN_SUPPORTED',
    );
  });

  it.each([
    [{ host: 'ftp://host' }, 'host'],
    [{ host: 'http://user:password@host' }, 'host'],
    [{ host: '' }, 'host'],
    [{ bucket: 'a/b' }, 'bucket'],
    [{ bucket: 'Upper', bucket_url_format: 'virtual' }, 'bucket'],
    [{ large_object_chunk_size: 4 }, 'large_object_chunk_size'],
    [{ thread_pools: 0 }, 'thread_pools'],
    [{ cacert: 'relative.pem' }, 'cacert'],
    [{ access_key: '' }, 'access_key'],
    [{ nonsense: 1 }, ''],
  ])('refuses %j', (more, path) => {
    expect(problemsOf(more)).toContain(path);
  });
});
