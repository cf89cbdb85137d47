import { webhookDeliveryStatuses } from '@glimpse/contracts';
import { z } from 'zod';
import {
  type DescribeRoutes,
  type RouteDescription,
  type RouteParameter,
  empty,
  json,
} from '../openapi/route-description.js';
import {
  DeliveryDocument,
  DeliveryList,
  NewWebhookBody,
  RotationBody,
  WebhookDocument,
  WebhookList,
  WebhookPatchBody,
  WebhookWithSecretDocument,
} from './webhooks.schema.js';

const tag = 'Webhooks';
const isAddition = true;
const parameters: readonly RouteParameter[] = [
  { in: 'path', name: 'id', description: 'The id of the webhook.' },
];
const query = (name: string, description: string, schema?: z.ZodType): RouteParameter => ({
  in: 'query',
  name,
  description,
  ...(schema === undefined ? {} : { schema }),
});
const limit = query('limit', 'How many the page holds at most.', z.int().min(0));
const marker = query('marker', 'The id of the last one of the page before.');

const FORBIDDEN = 'The caller may not do this, or webhooks are switched off.';
const NOT_FOUND = 'There is no such webhook in the project.';
const MARKER = 'A parameter makes no sense, or the marker is none of the list.';
const WITH_BODY = 'The request has a body.';
const SHOWN_ONCE = 'The webhook, with its secret: it is never shown again.';

const webhookRoutes: readonly RouteDescription[] = [
  {
    method: 'POST',
    path: '/v2/webhooks',
    tag,
    isAddition,
    summary: 'Have the project told of what happens',
    description:
      'Messages are signed as [Standard Webhooks](https://www.standardwebhooks.com) has it, and sent again until the receiver takes them.',
    body: { content: json(NewWebhookBody) },
    answers: {
      201: {
        description: SHOWN_ONCE,
        content: json(WebhookWithSecretDocument),
        headers: { Location: 'The URL of the webhook.' },
      },
    },
    errors: {
      400: 'The document makes no sense, or nothing is sent to the URL.',
      403: FORBIDDEN,
      413: 'The project has as many webhooks as it may.',
    },
  },
  {
    method: 'GET',
    path: '/v2/webhooks',
    tag,
    isAddition,
    summary: 'List webhooks',
    description: 'Those of the own project, the oldest first; administrators see those of all.',
    parameters: [limit, marker, query('project_id', 'For administrators: those of this project alone.')],
    answers: { 200: { description: 'The page.', content: json(WebhookList) } },
    errors: { 400: MARKER, 403: FORBIDDEN },
  },
  {
    method: 'GET',
    path: '/v2/webhooks/:id',
    tag,
    isAddition,
    summary: 'Show a webhook',
    parameters,
    answers: { 200: { description: 'The webhook.', content: json(WebhookDocument) } },
    errors: { 403: FORBIDDEN, 404: NOT_FOUND },
  },
  {
    method: 'PATCH',
    path: '/v2/webhooks/:id',
    tag,
    isAddition,
    summary: 'Change a webhook',
    description:
      'What is left out stays as it is. Switched off it hears nothing, and what waits has failed; enabled again it begins anew.',
    parameters,
    body: { content: json(WebhookPatchBody) },
    answers: { 200: { description: 'The webhook.', content: json(WebhookDocument) } },
    errors: {
      400: 'The document makes no sense, or nothing is sent to the URL.',
      403: FORBIDDEN,
      404: NOT_FOUND,
    },
  },
  {
    method: 'DELETE',
    path: '/v2/webhooks/:id',
    tag,
    isAddition,
    summary: 'Delete a webhook',
    parameters,
    answers: { 204: empty('Nothing is sent any more.') },
    errors: { 400: WITH_BODY, 403: FORBIDDEN, 404: NOT_FOUND },
  },
  {
    method: 'POST',
    path: '/v2/webhooks/:id/rotate-secret',
    tag,
    isAddition,
    summary: 'Give a webhook another secret',
    description: 'For a while messages carry a signature with the old secret too.',
    parameters,
    body: { content: json(RotationBody), isRequired: false },
    answers: { 200: { description: SHOWN_ONCE, content: json(WebhookWithSecretDocument) } },
    errors: { 400: 'The secret is none, or the overlap too long.', 403: FORBIDDEN, 404: NOT_FOUND },
  },
];

const deliveryRoutes: readonly RouteDescription[] = [
  {
    method: 'POST',
    path: '/v2/webhooks/:id/test',
    tag,
    isAddition,
    summary: 'Try a webhook',
    description:
      'Has a message of the type `webhook.test` sent, once: the delivery tells what came of it. One test of a webhook waits at a time.',
    parameters,
    answers: { 202: { description: 'It is about to be sent.', content: json(DeliveryDocument) } },
    errors: {
      400: WITH_BODY,
      403: FORBIDDEN,
      404: NOT_FOUND,
      409: 'The webhook is disabled, or an earlier test of it waits or is being sent.',
    },
  },
  {
    method: 'GET',
    path: '/v2/webhooks/:id/deliveries',
    tag,
    isAddition,
    summary: 'List what became of messages',
    description: 'Newest first. Those that have ended are kept for some days.',
    parameters: [
      ...parameters,
      limit,
      marker,
      query('status', 'Those in this status alone.', z.enum(webhookDeliveryStatuses)),
    ],
    answers: { 200: { description: 'The page.', content: json(DeliveryList) } },
    errors: { 400: MARKER, 403: FORBIDDEN, 404: NOT_FOUND },
  },
  {
    method: 'POST',
    path: '/v2/webhooks/:id/deliveries/:delivery/retry',
    tag,
    isAddition,
    summary: 'Have a message sent again',
    description: 'Now, with all its attempts before it.',
    parameters: [...parameters, { in: 'path', name: 'delivery', description: 'The id of the delivery.' }],
    answers: { 202: { description: 'It is about to be sent.', content: json(DeliveryDocument) } },
    errors: {
      400: WITH_BODY,
      403: FORBIDDEN,
      404: 'There is no such webhook in the project, or no such delivery of it.',
      409: 'The webhook is disabled, or the message is being sent.',
    },
  },
];

export const describeWebhooks: DescribeRoutes = () => [...webhookRoutes, ...deliveryRoutes];
