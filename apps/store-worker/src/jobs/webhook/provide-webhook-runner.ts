import { LiveEvents, RpcClient } from '@glimpse/bus';
import type { Config } from '@glimpse/config';
import type { Logger } from '@glimpse/observability';
import type { FactoryProvider } from '@nestjs/common';
import { AllowedAddresses } from '../import/allowed-addresses.js';
import { WebhookSender } from './webhook-sender.js';
import { WebhookRunner } from './webhook.runner.js';

/** The runner of a worker's messages to webhooks; whoever starts it stops it. */
export const provideWebhookRunner = (
  { webhooks, jobs: { pollMs } }: Config,
  instanceId: string,
  logger: Logger,
): FactoryProvider<WebhookRunner> => ({
  provide: WebhookRunner,
  inject: [RpcClient, LiveEvents],
  useFactory: (rpc: RpcClient, live: LiveEvents) => {
    const { enabled: isEnabled, concurrency } = webhooks;
    const sender = new WebhookSender(webhooks, new AllowedAddresses(webhooks.allowedAddresses));
    return new WebhookRunner(rpc, live, sender, { instanceId, isEnabled, concurrency, pollMs }, logger);
  },
});
