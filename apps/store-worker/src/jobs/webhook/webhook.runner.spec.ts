import { afterEach, describe, expect, it } from '@jest/globals';
import type { RpcClient } from '@glimpse/bus';
import {
  type ClaimedDelivery,
  type DeliveryOutcome,
  type RpcDefinition,
  ServiceError,
  registryWebhookDeliveries,
} from '@glimpse/contracts';
import { createLogger } from '@glimpse/observability';
import { waitFor } from '@glimpse/testing';
import { WebhookRunner } from './webhook.runner.js';

const aDelivery = (id: string): ClaimedDelivery => ({
  id,
  leaseToken: `lease-${id}`,
  webhookId: 'w',
  url: `https://${id}.example/`,
  headers: {},
  body: '{}',
});

/** A registry that hands out what waits, and keeps what it is told. */
class FakeRegistry {
  waiting: ClaimedDelivery[] = [];
  readonly finished: { id: string; outcome: DeliveryOutcome }[] = [];
  readonly limits: number[] = [];
  /** Answers that are lost, of what it is told. */
  lost = 0;

  readonly rpc = {
    call: (definition: RpcDefinition, request: { id: string; outcome: DeliveryOutcome; limit: number }) => {
      if (definition.pattern === registryWebhookDeliveries.claim.pattern) {
        this.limits.push(request.limit);
        return Promise.resolve({ deliveries: this.waiting.splice(0, request.limit) });
      }
      if (this.lost > 0) {
        this.lost -= 1;
        return Promise.reject(new ServiceError('RPC_TIMEOUT', 'lost'));
      }
      this.finished.push({ id: request.id, outcome: request.outcome });
      return Promise.resolve({ outcome: 'ok' });
    },
  } as unknown as Pick<RpcClient, 'call'>;
}

/** Answers when a test says so. */
class FakeSender {
  readonly pending = new Map<string, (outcome: DeliveryOutcome) => void>();
  isClosed = false;

  send({ id }: ClaimedDelivery): Promise<DeliveryOutcome> {
    return new Promise((resolve) => {
      this.pending.set(id, (outcome) => {
        this.pending.delete(id);
        resolve(outcome);
      });
    });
  }

  answer(id: string): void {
    this.pending.get(id)?.({ status: 204 });
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

describe('WebhookRunner', () => {
  const opened: WebhookRunner[] = [];
  afterEach(() => Promise.all(opened.splice(0).map((runner) => runner.stop(0))));

  function start(more: { isEnabled?: boolean; concurrency?: number } = {}) {
    const registry = new FakeRegistry();
    const sender = new FakeSender();
    let announce: () => void = () => undefined;
    const live = {
      listen: (_definition: unknown, take: () => void) => {
        announce = take;
        return () => {
          announce = () => undefined;
        };
      },
    };
    const runner = new WebhookRunner(
      registry.rpc,
      live as never,
      sender,
      { instanceId: 'i', isEnabled: true, concurrency: 20, pollMs: 3_600_000, ...more },
      createLogger('store-worker', { level: 'silent' }),
    );
    opened.push(runner);
    runner.start();
    return { registry, sender, runner, announce: () => announce() };
  }

  it('takes all that waits when it hears of it, as many at once as it may', async () => {
    const { registry, sender, announce } = start();
    await waitFor('the first claim', () => registry.limits.length > 0);
    registry.waiting = Array.from({ length: 25 }, (_, number) => aDelivery(`d${number}`));

    announce();
    await waitFor('twenty to be sent', () => sender.pending.size === 20);
    sender.answer('d0');
    await waitFor('another one', () => sender.pending.has('d20'));

    expect(sender.pending.size).toBe(20);
    expect(Math.max(...registry.limits)).toBe(16);
    expect(registry.finished).toEqual([{ id: 'd0', outcome: { status: 204 } }]);
    for (const id of sender.pending.keys()) sender.answer(id);
    await waitFor('the rest', () => {
      for (const id of sender.pending.keys()) sender.answer(id);
      return registry.finished.length === 25;
    });
  });

  it('goes on while one receiver is slow', async () => {
    const { registry, sender, announce } = start();
    await waitFor('the first claim', () => registry.limits.length > 0);
    registry.waiting = ['slow', 'a', 'b'].map(aDelivery);

    announce();
    await waitFor('all to be sent', () => sender.pending.size === 3);
    sender.answer('a');
    sender.answer('b');
    await waitFor('two ends', () => registry.finished.length === 2);

    expect([...sender.pending.keys()]).toEqual(['slow']);
    sender.answer('slow');
  });

  it('tells again what came of a message when the answer is lost', async () => {
    const { registry, sender, announce } = start();
    await waitFor('the first claim', () => registry.limits.length > 0);
    registry.waiting = [aDelivery('a')];
    registry.lost = 2;

    announce();
    await waitFor('it to be sent', () => sender.pending.size === 1);
    sender.answer('a');

    await waitFor('the end', () => registry.finished.length === 1);
  });

  it('stops when what it sends is done, and takes nothing more', async () => {
    const { registry, sender, runner, announce } = start();
    await waitFor('the first claim', () => registry.limits.length > 0);
    registry.waiting = [aDelivery('a')];
    announce();
    await waitFor('it to be sent', () => sender.pending.size === 1);

    const stopped = runner.stop(10_000);
    registry.waiting = [aDelivery('b')];
    runner.wake();
    sender.answer('a');
    await stopped;

    expect(registry.finished.map(({ id }) => id)).toEqual(['a']);
    expect(registry.waiting).toHaveLength(1);
    expect(sender.isClosed).toBe(true);
  });

  it('asks nobody where webhooks are switched off', async () => {
    const { registry, runner } = start({ isEnabled: false });

    await runner.stop(0);

    expect(registry.limits).toEqual([]);
  });
});
