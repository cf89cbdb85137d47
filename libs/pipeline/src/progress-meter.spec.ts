import { secondsLeft } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import { ProgressMeter } from './progress-meter.js';

/** A meter that is read every second, after `bytes` more came in each of them. */
function aMeter(bytesTotal: number | null = null) {
  let now = 0;
  let done = 0;
  const meter = new ProgressMeter('receiving', bytesTotal, () => now);
  const afterSeconds = (seconds: number, bytes: number) => {
    let reading = meter.read();
    for (let second = 0; second < seconds; second += 1) {
      now += 1_000;
      done += bytes;
      meter.bytes(done);
      reading = meter.read();
    }
    return reading;
  };
  return { meter, afterSeconds, pass: (ms: number) => (now += ms) };
}

describe('ProgressMeter', () => {
  it('tells the rate and the time that is left', () => {
    const { afterSeconds } = aMeter(1_000);

    const reading = afterSeconds(3, 100);

    expect(reading).toEqual({
      phase: 'receiving',
      bytesDone: 300,
      bytesTotal: 1_000,
      bytesPerSecond: 100,
    });
    expect(secondsLeft(reading)).toBe(7);
  });

  it('follows a change of the rate within its window, and a standstill down to nothing', () => {
    const { afterSeconds } = aMeter(1_000_000);
    afterSeconds(60, 1_000);

    expect(afterSeconds(5, 100).bytesPerSecond).toBe(550);
    expect(afterSeconds(5, 100).bytesPerSecond).toBe(100);
    const still = afterSeconds(10, 0);
    expect(still.bytesPerSecond).toBe(0);
    expect(secondsLeft(still)).toBeNull();
  });

  it('says nothing of a rate that it can not know yet', () => {
    const { meter, pass } = aMeter(10);
    pass(100);
    meter.bytes(10);

    expect(meter.read().bytesPerSecond).toBeNull();
    expect(secondsLeft(meter.read())).toBeNull();
  });

  it('counts every phase from its beginning', () => {
    const { meter, afterSeconds, pass } = aMeter(1_000);
    afterSeconds(3, 100);

    meter.phase('converting', 50);

    expect(meter.read()).toMatchObject({ phase: 'converting', bytesDone: 0, bytesTotal: 50 });
    pass(1_000);
    meter.bytes(10);
    expect(meter.read()).toMatchObject({ bytesDone: 10, bytesPerSecond: 10 });

    meter.phase('storing', 50, 50);
    pass(1_000);
    expect(meter.read()).toMatchObject({ phase: 'storing', bytesDone: 50, bytesPerSecond: 0 });
  });

  it('keeps no more readings than its window has', () => {
    const { meter, afterSeconds } = aMeter();
    afterSeconds(1_000, 1);

    expect(Reflect.get(meter, 'samples')).toHaveLength(11);
  });
});

describe('secondsLeft', () => {
  it('is unknown where the total is, and nothing where more came than was to', () => {
    const progress = { phase: 'reading', bytesDone: 10, bytesTotal: null, bytesPerSecond: 5 };

    expect(secondsLeft(progress)).toBeNull();
    expect(secondsLeft({ ...progress, bytesTotal: 5 })).toBe(0);
  });
});
