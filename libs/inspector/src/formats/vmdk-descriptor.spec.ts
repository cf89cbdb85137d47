import { describe, expect, it } from '@jest/globals';
import { parseVmdkDescriptor } from './vmdk-descriptor.js';

/** As qemu-img 7.2 leaves it when the identifier that it chose has fewer than eight digits. */
const rewritten = (cid: string, leftover: string) =>
  Buffer.from(
    `# Disk DescriptorFile\nversion=1\nCID=${cid}\nparentCID=ffffffff\ncreateType="streamOptimized"\n\n` +
      `# Extent description\nRW 8192 SPARSE "disk.vmdk"\n\n# The Disk Data Base\n#DDB\n\n` +
      `ddb.virtualHWVersion = "4"\nddb.toolsVersion = "2147483647"\n${leftover}\0\0\0`,
    'latin1',
  );

describe('a descriptor of a VMDK', () => {
  it.each([
    ['4cb17412', ''],
    ['cb17412', '\0'],
    ['4cb174', '\0\n'],
    ['4cb17', '\0"\n'],
    ['4c', '\x0083647"\n'],
  ])('may end in what was left of a longer one (%s)', (cid, leftover) => {
    expect(parseVmdkDescriptor(rewritten(cid, leftover)).dangers).toEqual([]);
  });

  it('must not hide anything else behind its end', () => {
    const { dangers } = parseVmdkDescriptor(rewritten('4cb174', '\0RW 8192 FLAT "/etc/passwd" 0\n'));

    expect(dangers).toMatchObject([{ reason: 'its descriptor is no plain text' }]);
  });
});
