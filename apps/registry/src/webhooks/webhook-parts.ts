import { DeliveriesService } from './deliveries.service.js';
import { DeliveryClaims } from './delivery-claims.js';
import { DeliveryOutcomes } from './delivery-outcomes.js';
import { WebhookAccess } from './webhook-access.js';
import { WebhookEnd } from './webhook-end.js';
import { WebhookEvents, WebhookSignal } from './webhook-events.js';
import { WebhookFanOut } from './webhook-fan-out.js';
import { WebhookRules } from './webhook-rules.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { WebhookUpkeep } from './webhook-upkeep.js';
import { WebhooksService } from './webhooks.service.js';

/** Everything that webhooks are made of. */
export const webhookProviders = [
  WebhooksService,
  WebhookAccess,
  WebhookRules,
  WebhookSecrets,
  WebhookFanOut,
  WebhookEvents,
  WebhookSignal,
  WebhookEnd,
  WebhookUpkeep,
  DeliveriesService,
  DeliveryClaims,
  DeliveryOutcomes,
];
