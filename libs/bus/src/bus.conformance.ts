import type { OwnPlace } from '@glimpse/testing';
import { afterEach, beforeEach, describe } from '@jest/globals';
import { BusHarness } from './bus-harness.conformance.js';
import { describeCalls } from './calls.conformance.js';
import { describeEvents } from './events.conformance.js';
import { describeLiveEvents } from './live-events.conformance.js';
import { describeWaitingCalls } from './waiting-calls.conformance.js';

export interface BusFixture {
  /** A broker without any queues, for one test. */
  open(): Promise<OwnPlace>;
}

/** Everything that a bus promises, whatever carries it. */
export function describeBus(name: string, fixture: BusFixture): void {
  describe(`${name} bus`, () => {
    let place: OwnPlace;
    let harness: BusHarness;
    beforeEach(async () => {
      place = await fixture.open();
      harness = new BusHarness(place.url);
    });
    afterEach(async () => {
      await harness.close();
      await place.remove();
    });

    describeCalls(() => harness);
    describeWaitingCalls(() => harness);
    describeEvents(() => harness);
    describeLiveEvents(() => harness);
  });
}
