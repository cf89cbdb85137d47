import { randomUUID } from 'node:crypto';
import { ServiceError } from '@glimpse/contracts';
import { waitFor } from '@glimpse/testing';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { firstValueFrom } from 'rxjs';
import { BusClient } from './bus-client.js';
import { BusHarness, jobReady, perform } from './bus-harness.conformance.js';

describe("NestJS' own way to send", () => {
  let harness: BusHarness;
  let client: BusClient;
  beforeEach(() => {
    harness = new BusHarness(`memory:${randomUUID()}`);
    client = new BusClient(harness.options('api-gateway'));
  });
  afterEach(async () => {
    await client.close();
    await harness.close();
  });

  it('answers calls', async () => {
    await harness.rpcServer({ perform: (value) => value });

    await expect(firstValueFrom(client.send(perform.pattern, { value: 1 }))).resolves.toEqual({ value: 1 });
  });

  it('hands errors on', async () => {
    const answer = firstValueFrom(client.send(perform.pattern, { value: 1 }));

    await expect(answer).rejects.toBeInstanceOf(ServiceError);
  });

  it('publishes events', async () => {
    const seen: string[] = [];
    await harness.eventServer({ onService: ({ id }) => seen.push(id) });
    const event = jobReady();

    client.emit(event.name, event);
    await waitFor('the event', () => seen.length > 0);

    expect(seen).toEqual([event.id]);
  });
});
