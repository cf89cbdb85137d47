import { jobEvents, type ReceivedEvent, rpc } from '@glimpse/contracts';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { HandleEvent } from './handle-event.js';
import { HandleRpc } from './handle-rpc.js';

const greet = rpc('registry.test.greet', {
  request: z.object({ name: z.string() }),
  response: z.object({ text: z.string() }),
});

describe('HandleRpc and HandleEvent', () => {
  it('compile for methods of the right shape only', () => {
    class Handlers {
      @HandleRpc(greet)
      whole({ name }: { name: string }): Promise<{ text: string }> {
        return Promise.resolve({ text: name });
      }

      @HandleRpc(greet)
      withoutRequest(): { text: string } {
        return { text: '' };
      }

      // @ts-expect-error: returns another shape
      @HandleRpc(greet)
      wrongResponse(): { text: number } {
        return { text: 1 };
      }

      // @ts-expect-error: wants more than the request has
      @HandleRpc(greet)
      wrongRequest({ age }: { name: string; age: number }): { text: string } {
        return { text: String(age) };
      }

      @HandleEvent(jobEvents.ready, { delivery: 'service' })
      ready(event: ReceivedEvent<typeof jobEvents.ready>): void {
        expect(event.payload.jobId).toBeDefined();
      }

      // @ts-expect-error: another event
      @HandleEvent(jobEvents.ready, { delivery: 'service' })
      wrongEvent(_event: ReceivedEvent<typeof jobEvents.failed>): void {}
    }

    expect(new Handlers().withoutRequest()).toEqual({ text: '' });
  });

  it('leave the method as it is', async () => {
    class Handlers {
      @HandleRpc(greet)
      greet({ name }: { name: string }): Promise<{ text: string }> {
        return Promise.resolve({ text: `Hello ${name}` });
      }
    }

    await expect(new Handlers().greet({ name: 'you' })).resolves.toEqual({ text: 'Hello you' });
  });
});
