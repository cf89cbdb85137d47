import { currentContext, traceIdOf, traceparentFrom } from '@glimpse/observability';
import { waitFor } from '@glimpse/testing';
import { describe, expect, it } from '@jest/globals';
import { type BusHarness, Gate, imageDeleted, jobReady } from './bus-harness.conformance.js';

/** What events promise. */
export function describeEvents(harness: () => BusHarness): void {
  describe('an event for a service', () => {
    it('reaches one of its replicas', async () => {
      const seen: string[] = [];
      for (let replica = 0; replica < 2; replica += 1)
        await harness().eventServer({ onService: (event) => seen.push(event.id) });
      const { publisher } = harness().client();
      const events = Array.from({ length: 20 }, () => jobReady());

      await Promise.all(events.map((event) => publisher.publish(event)));
      await waitFor('all events', () => seen.length >= 20);

      expect(seen.toSorted()).toEqual(events.map(({ id }) => id).toSorted());
    });

    it('arrives as it was sent, in the context of its trace', async () => {
      const seen: unknown[] = [];
      await harness().eventServer({
        onService: (event) => seen.push({ event, traceId: traceIdOf(currentContext()?.traceparent ?? '') }),
      });
      const traceparent = traceparentFrom(undefined);
      const event = { ...jobReady(), traceparent };

      await harness().client().publisher.publish(event);
      await waitFor('one event', () => seen.length === 1);

      expect(seen).toEqual([{ event, traceId: traceIdOf(traceparent) }]);
    });

    it('is kept for a service that was never started', async () => {
      const event = jobReady();
      const { publisher } = harness().client();
      await publisher.publish(event);
      const seen: string[] = [];

      await harness().eventServer({ onService: ({ id }) => seen.push(id) });
      await waitFor('the event', () => seen.length > 0);

      expect(seen).toEqual([event.id]);
    });

    it('needs no subscriber', async () => {
      await expect(harness().client().publisher.publish(imageDeleted())).resolves.toBeUndefined();
    });

    it('is delivered again, after growing pauses, until it is handled', async () => {
      const attempts: number[] = [];
      await harness().eventServer({
        onService: () => {
          attempts.push(performance.now());
          if (attempts.length < 3) throw new Error('not yet');
        },
      });

      await harness().client().publisher.publish(jobReady());
      await waitFor('three attempts', () => attempts.length === 3);

      expect(attempts[1]! - attempts[0]!).toBeGreaterThanOrEqual(19);
      expect(attempts[2]! - attempts[1]!).toBeGreaterThanOrEqual(39);
      await expect(harness().client().deadLetters.list(10)).resolves.toEqual([]);
    });

    it('goes to another replica when the one that has it goes away', async () => {
      const gate = new Gate();
      let hasStarted = false;
      const leaving = await harness().eventServer({
        onService: async () => {
          hasStarted = true;
          await gate.opened;
        },
      });
      const event = jobReady();
      await harness().client().publisher.publish(event);
      await waitFor('the handler to start', () => hasStarted);
      const seen: string[] = [];

      await leaving.stop(0);
      await harness().eventServer({ onService: ({ id }) => seen.push(id) });
      await waitFor('the event', () => seen.length > 0);
      gate.open();

      expect(seen).toEqual([event.id]);
    });

    it('is finished by a replica that closes with grace, and not delivered again', async () => {
      const gate = new Gate();
      const seen: string[] = [];
      let hasStarted = false;
      const leaving = await harness().eventServer({
        onService: async ({ id }) => {
          hasStarted = true;
          await gate.opened;
          seen.push(id);
        },
      });
      const event = jobReady();
      const { publisher } = harness().client();
      await publisher.publish(event);
      await waitFor('the handler to start', () => hasStarted);

      const stopped = leaving.stop(10_000);
      gate.open();
      await stopped;
      await harness().eventServer({ onService: ({ id }) => seen.push(id) });
      const next = jobReady();
      await publisher.publish(next);
      await waitFor('the next event', () => seen.includes(next.id));

      expect(seen).toEqual([event.id, next.id]);
    });
  });

  describe('an event for each instance', () => {
    it('reaches every replica, and only those that are there', async () => {
      const seen: string[] = [];
      const { publisher } = harness().client();
      await publisher.publish(imageDeleted('before'));
      await harness().eventServer({ onInstance: ({ payload }) => seen.push(`a ${payload.imageId}`) });
      await harness().eventServer({ onInstance: ({ payload }) => seen.push(`b ${payload.imageId}`) });

      await publisher.publish(imageDeleted('now'));
      await waitFor('both replicas', () => seen.length >= 2);

      expect(seen.toSorted()).toEqual(['a now', 'b now']);
    });

    it('is not tried again', async () => {
      const seen: string[] = [];
      await harness().eventServer({
        onInstance: ({ payload }) => {
          seen.push(payload.imageId);
          if (payload.imageId === 'first') throw new Error('no');
        },
      });
      const { publisher } = harness().client();

      await publisher.publish(imageDeleted('first'));
      await publisher.publish(imageDeleted('second'));
      await waitFor('the second event', () => seen.includes('second'));

      expect(seen).toEqual(['first', 'second']);
      expect(harness().logged).toContainEqual(expect.objectContaining({ msg: 'event was not handled' }));
    });
  });

  describe('an event that can not be handled', () => {
    it('goes to the dead letters after its attempts, with the reason', async () => {
      await harness().eventServer({
        onService: () => {
          throw new Error('the disk is on fire');
        },
      });
      const event = jobReady();
      const { publisher, deadLetters } = harness().client();

      await publisher.publish(event);
      await waitFor('a dead letter', async () => (await deadLetters.list(10)).length === 1);

      const [letter] = await deadLetters.list(10);
      expect(letter).toMatchObject({
        id: event.id,
        name: 'job.ready',
        queue: 'glimpse.events.store-worker',
        reason: 'the disk is on fire',
        attempts: 3,
      });
      expect(JSON.parse(letter!.body)).toEqual(event);
      expect(Date.parse(letter!.diedAt!)).toBeGreaterThan(Date.now() - 60_000);
    });

    it('goes there at once when it breaks its contract, and the good ones around it are handled', async () => {
      const seen: string[] = [];
      await harness().eventServer({ onService: ({ id }) => seen.push(id) });
      const { publisher, deadLetters } = harness().client();
      const events = Array.from({ length: 21 }, () => jobReady());
      const poison = { ...events[10]!, payload: { jobId: 7 } };

      for (const event of events) await publisher.publish(event === events[10] ? poison : event);
      await waitFor(
        'the good ones and the dead letter',
        async () => seen.length === 20 && (await deadLetters.list(10)).length === 1,
      );

      expect(seen).not.toContain(poison.id);
      const [letter] = await deadLetters.list(10);
      expect(letter).toMatchObject({ id: poison.id, attempts: 1 });
      expect(letter!.reason).toContain('breaks its contract');
    });

    it('is put back by a replay, all or some', async () => {
      let isBroken = true;
      const seen: string[] = [];
      await harness().eventServer(
        {
          onService: ({ id }) => {
            if (isBroken) throw new Error('broken');
            seen.push(id);
          },
        },
        { eventAttempts: 1 },
      );
      const { publisher, deadLetters } = harness().client();
      const events = [jobReady(), jobReady(), jobReady()];
      for (const event of events) await publisher.publish(event);
      await waitFor('three dead letters', async () => (await deadLetters.list(10)).length === 3);
      isBroken = false;

      const someReplayed = await deadLetters.replay({ ids: [events[1]!.id] });
      await waitFor('one event', () => seen.length === 1);
      const left = await deadLetters.list(10);
      const restReplayed = await deadLetters.replay('all');
      await waitFor('all three events', () => seen.length === 3);

      expect(someReplayed).toEqual({ replayed: 1, left: [] });
      expect(left.map(({ id }) => id).toSorted()).toEqual([events[0]!.id, events[2]!.id].toSorted());
      expect(restReplayed).toEqual({ replayed: 2, left: [] });
      await expect(deadLetters.list(10)).resolves.toEqual([]);
    });

    it('has all its attempts again after a replay', async () => {
      let runs = 0;
      await harness().eventServer({
        onService: () => {
          runs += 1;
          throw new Error('broken');
        },
      });
      const { publisher, deadLetters } = harness().client();
      await publisher.publish(jobReady());
      await waitFor('a dead letter', async () => (await deadLetters.list(10)).length === 1);

      await deadLetters.replay('all');
      await waitFor(
        'six attempts and a dead letter',
        async () => runs === 6 && (await deadLetters.list(10)).length === 1,
      );

      expect((await deadLetters.list(10))[0]).toMatchObject({ attempts: 3 });
    });
  });
}
