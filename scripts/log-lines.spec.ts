import { describe, expect, it } from '@jest/globals';
import { formatLogLine, parseLogLine } from './log-lines.js';

const line = {
  time: '2026-03-01T10:20:30.456Z',
  level: 'info',
  service: 'registry',
  instance: 'registry-1',
  trace_id: 'abc',
  msg: 'stopped',
};

describe('parseLogLine', () => {
  it('reads a line of JSON', () => {
    expect(parseLogLine(JSON.stringify(line))).toEqual(line);
  });

  it.each(['plain words', '{ broken', ''])('leaves %j alone', (text) => {
    expect(parseLogLine(text)).toBeUndefined();
  });
});

describe('formatLogLine', () => {
  it('shows what people look for on one line', () => {
    const request = { ...line, status: 200, path: '/v2/images' };

    const shown = formatLogLine(request);

    expect(shown).toBe('10:20:30 info  registry stopped status=200 path=/v2/images\n');
  });

  it('shows the stack of an error below', () => {
    const shown = formatLogLine({ ...line, err: { message: 'broken', stack: 'Error: broken\n    at x' } });

    expect(shown).toBe('10:20:30 info  registry stopped\n  Error: broken\n      at x\n');
  });
});
