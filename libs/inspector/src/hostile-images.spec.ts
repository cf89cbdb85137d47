import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '@glimpse/config';
import { SeededRandom, aHostileImage, inspectHostileImage } from '@glimpse/testing';

/** The full run: `npm run fuzz`. */
const IMAGES = 4_000;

describe('hostile images', () => {
  it('are looked at without harm, and judged the same however they come', () => {
    const { formats } = loadConfig({});
    const random = new SeededRandom(20_261_122);
    let refused = 0;

    for (let n = 0; n < IMAGES; n++)
      if (inspectHostileImage(aHostileImage(random), random, formats)) refused++;

    expect(refused).toBeGreaterThan(IMAGES / 10);
    expect(refused).toBeLessThan(IMAGES);
  });
});
