import { describe, expect, it } from '@jest/globals';
import {
  parseMemberUpdate,
  parseNewMember,
  publishedMemberSchema,
  publishedMembersSchema,
} from './members.schema.js';

describe('the bodies of members', () => {
  it.each([
    [{ member: 'p1' }, 'p1'],
    [{ member: ' ', other: 1 }, ' '],
    [{ member: 5 }, 5],
  ])('take %j', (body, member) => {
    expect(parseNewMember(body)).toBe(member);
  });

  it.each([
    undefined,
    [],
    {},
    { member: '' },
    { member: 0 },
    { member: null },
    { member: true },
    { member: ['p1'] },
    { member: { id: 'p1' } },
    { member: 'x'.repeat(256) },
    { member: '🙂' },
    { member: 'a\0' },
  ])('refuse %j', (body) => {
    expect(() => parseNewMember(body)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it.each([undefined, [], {}, { status: 5 }, { status: null }])('refuse %j as an update', (body) => {
    expect(() => parseMemberUpdate(body)).toThrow(expect.objectContaining({ code: 'REQUEST_INVALID' }));
  });

  it('are described as Glance describes them', () => {
    expect(Object.keys(publishedMemberSchema)).toEqual(['name', 'properties']);
    expect(publishedMemberSchema.properties).toMatchObject({
      member_id: { type: 'string' },
      image_id: { type: 'string', pattern: expect.stringContaining('{12}$') },
      status: { type: 'string', enum: ['pending', 'accepted', 'rejected'] },
      schema: { type: 'string', readOnly: true },
    });
    expect(publishedMembersSchema.links).toEqual([{ rel: 'describedby', href: '{schema}' }]);
  });
});
