import { aTokenDocument } from '@glimpse/testing';
import { describe, expect, it, jest } from '@jest/globals';
import { CheckedTokens } from './checked-tokens.js';
import { type CheckedToken, checkedToken, parseToken } from './token-document.js';

const START = Date.parse('2030-01-01T00:00:00Z');

const expiringAt = (time: number): CheckedToken =>
  checkedToken(
    parseToken({ token: aTokenDocument(['member'], { expires_at: new Date(time).toISOString() }) }),
  );

function setUp(options: { cacheTtlMs?: number; cacheEntries?: number; refusedCacheTtlMs?: number } = {}) {
  const clock = { now: START };
  const known = new Map<string, CheckedToken>();
  const validate = jest.fn(async (token: string, allowExpired: boolean) => {
    const checked = known.get(token);
    return checked !== undefined && (allowExpired || checked.expiresAt > clock.now) ? checked : null;
  });
  const tokens = new CheckedTokens(
    { validate },
    { cacheTtlMs: 300_000, cacheEntries: 100, refusedCacheTtlMs: 10_000, ...options },
    () => clock.now,
  );
  const find = async (token: string, allowExpired = false) => tokens.find(token, { allowExpired });
  return { clock, known, validate, find };
}

describe('CheckedTokens', () => {
  it('asks once while it remembers', async () => {
    const { known, validate, find } = setUp();
    known.set('t', expiringAt(START + 3_600_000));

    const first = await find('t');
    const second = await find('t');

    expect(second).toBe(first);
    expect(validate).toHaveBeenCalledTimes(1);
  });

  it('asks once for all who come while it asks', async () => {
    const { known, validate, find } = setUp();
    known.set('t', expiringAt(START + 3_600_000));

    const found = await Promise.all(Array.from({ length: 50 }, () => find('t')));

    expect(new Set(found).size).toBe(1);
    expect(validate).toHaveBeenCalledTimes(1);
  });

  it('asks again for each after a failure', async () => {
    const { known, validate, find } = setUp();
    known.set('t', expiringAt(START + 3_600_000));
    validate.mockRejectedValueOnce(new Error('away'));

    await expect(find('t')).rejects.toThrow('away');

    await expect(find('t')).resolves.not.toBeNull();
  });

  it('knows a revoked token no longer than told', async () => {
    const { clock, known, find } = setUp({ cacheTtlMs: 60_000 });
    known.set('t', expiringAt(START + 3_600_000));
    await find('t');
    known.delete('t');

    clock.now = START + 59_999;
    expect(await find('t')).not.toBeNull();
    clock.now = START + 60_000;
    expect(await find('t')).toBeNull();
  });

  it('counts that time from when it asked, not from the answer', async () => {
    const { clock, known, validate, find } = setUp({ cacheTtlMs: 60_000 });
    known.set('t', expiringAt(START + 3_600_000));
    validate.mockImplementationOnce(async () => {
      clock.now += 30_000;
      return known.get('t')!;
    });
    await find('t');
    known.delete('t');

    clock.now = START + 60_000;

    expect(await find('t')).toBeNull();
  });

  it('knows no token beyond its end', async () => {
    const { clock, known, find } = setUp();
    known.set('t', expiringAt(START + 1_000));
    await find('t');

    clock.now = START + 1_000;

    expect(await find('t')).toBeNull();
  });

  it('keeps nothing when told so', async () => {
    const { known, validate, find } = setUp({ cacheTtlMs: 0 });
    known.set('t', expiringAt(START + 3_600_000));

    await find('t');
    await find('t');

    expect(validate).toHaveBeenCalledTimes(2);
  });

  it('lets an expired token through beside a service, and only there', async () => {
    const { known, validate, find } = setUp();
    known.set('t', expiringAt(START - 1_000));

    expect(await find('t')).toBeNull();
    expect(await find('t', true)).not.toBeNull();
    expect(await find('t', true)).not.toBeNull();
    expect(await find('t')).toBeNull();
    expect(validate.mock.calls).toEqual([
      ['t', false],
      ['t', true],
    ]);
  });

  it('remembers for a moment what is not valid', async () => {
    const { clock, known, validate, find } = setUp({ refusedCacheTtlMs: 10_000 });
    await find('t');
    await find('t');
    expect(validate).toHaveBeenCalledTimes(1);
    known.set('t', expiringAt(START + 3_600_000));

    clock.now = START + 10_000;

    expect(await find('t')).not.toBeNull();
  });

  it('lets the longest unused token go, and none for those that are not valid', async () => {
    const { known, validate, find } = setUp({ cacheEntries: 3 });
    for (const token of ['a', 'b', 'c', 'd']) known.set(token, expiringAt(START + 3_600_000));
    for (const token of ['a', 'b', 'c', 'a']) await find(token);
    for (let n = 0; n < 20; n++) await find(`wrong-${n}`);
    await find('d');
    validate.mockClear();

    for (const token of ['a', 'c', 'd']) await find(token);
    expect(validate).not.toHaveBeenCalled();
    await find('b');
    expect(validate).toHaveBeenCalledTimes(1);
  });

  it.each(['with blank', 'täglich', 'x'.repeat(8193), 'a, b', ''])('asks nobody about %j', async (token) => {
    const { validate, find } = setUp();

    expect(await find(token)).toBeNull();
    expect(validate).not.toHaveBeenCalled();
  });
});
