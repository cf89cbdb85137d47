import { describe, expect, it } from '@jest/globals';
import { createInspector } from './image-inspector.js';
import { inspect } from './inspect-pieces.conformance.js';

const MIB = 1_048_576;

describe('ImageInspector on hostile content', () => {
  const iso = (type: number) => {
    const data = Buffer.alloc(40_000);
    data[32_768] = type;
    data.write('CD001', 32_769, 'latin1');
    data.writeUInt32LE(5000, 32_848);
    data.writeUInt16LE(2048, 32_896);
    return data;
  };

  it('finds the size of an ISO', () => {
    expect(inspect('iso', iso(1), 1000)).toEqual({ formats: ['iso'], virtualSize: 5000 * 2048 });
    expect(inspect('iso', iso(2))).toEqual({ formats: ['iso'], virtualSize: null });
    expect(inspect('iso', iso(1).subarray(0, 34_815)).formats).toEqual([]);
  });

  it('names every format of a file that is several', () => {
    const data = iso(1);
    data.writeUInt32BE(0x514649fb, 0);

    expect(inspect('qcow2', data)).toEqual({ formats: ['qcow2', 'iso'], virtualSize: null });
  });

  it.each(['QFI\xfb', 'conectix', 'vhdxfile', 'KDMV'])('takes a file that ends after %j', (magic) => {
    expect(() => inspect('qcow2', Buffer.from(magic, 'latin1'))).not.toThrow();
    expect(inspect('qcow2', Buffer.from(magic, 'latin1')).virtualSize).toBeNull();
  });

  it.each(['qcow2', 'vhd', 'vhdx', 'vmdk', 'vdi'])('takes a %s whose fields are all ones', (diskFormat) => {
    const data = Buffer.alloc(3 * MIB, 0xff);
    data.write('vhdxfile', 0, 'latin1');
    if (diskFormat === 'qcow2') data.writeUInt32BE(0x514649fb, 0);
    if (diskFormat === 'vhd') data.write('conectix', 0, 'latin1');
    if (diskFormat === 'vmdk') data.write('KDMV', 0, 'latin1');
    if (diskFormat === 'vdi') data.writeUInt32LE(0xbeda107f, 64);
    data.write('regi', 196_608, 'latin1');

    expect(inspect(diskFormat, data).virtualSize).toBeNull();
  });

  it('looks into nothing but bare containers', () => {
    expect(createInspector({ diskFormat: 'qcow2', containerFormat: 'ova' })).toBeUndefined();
  });
});
