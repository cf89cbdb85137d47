import { EventEmitter } from 'node:events';
import { describe, expect, it, jest } from '@jest/globals';
import { stopSignal } from './stop-signal.js';

describe('stopSignal', () => {
  function arrange() {
    const source = new EventEmitter();
    const clock = { now: 1_000 };
    const exit = jest.fn();
    const signal = stopSignal(exit, ['SIGTERM', 'SIGINT'], source, () => clock.now);
    return { source, clock, exit, signal };
  }

  it('resolves with the first signal', async () => {
    const { source, exit, signal } = arrange();

    source.emit('SIGTERM');

    expect(await signal).toBe('SIGTERM');
    expect(exit).not.toHaveBeenCalled();
  });

  it('takes a key press that arrives twice for one signal', () => {
    const { source, clock, exit } = arrange();

    source.emit('SIGINT');
    clock.now += 100;
    source.emit('SIGINT');

    expect(exit).not.toHaveBeenCalled();
  });

  it('ends the process at a second signal', () => {
    const { source, clock, exit } = arrange();

    source.emit('SIGINT');
    clock.now += 2_000;
    source.emit('SIGINT');

    expect(exit).toHaveBeenCalledTimes(1);
  });

  it('takes no other signal for a stop than those it was told', async () => {
    const source = new EventEmitter();
    const signal = stopSignal(jest.fn(), ['SIGTERM', 'SIGHUP'], source);

    source.emit('SIGINT');
    source.emit('SIGHUP');

    expect(await signal).toBe('SIGHUP');
  });
});
