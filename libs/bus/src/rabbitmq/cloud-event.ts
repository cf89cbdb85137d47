import type { EventEnvelope } from '@glimpse/contracts';
import type { MessageProperties, Options } from 'amqplib';

// CloudEvents 1.0 in the binary mode of its AMQP protocol binding: the attributes are headers, the data is the body.

/** The separator that the binding prefers. */
const PREFIX = 'cloudEvents_';
/** The other one that it allows. */
const OTHER_PREFIX = 'cloudEvents:';

const isAttribute = (name: string) => name.startsWith(PREFIX) || name.startsWith(OTHER_PREFIX);

/** What an event is published with, beside its data. `source` says who publishes. */
export const cloudEventProperties = (
  { id, name, occurredAt, subject, traceparent }: Omit<EventEnvelope, 'payload'>,
  source: string,
): Options.Publish => ({
  contentType: 'application/json',
  contentEncoding: 'utf-8',
  messageId: id,
  type: name,
  timestamp: Math.floor(Date.parse(occurredAt) / 1000),
  headers: {
    [`${PREFIX}specversion`]: '1.0',
    [`${PREFIX}id`]: id,
    [`${PREFIX}source`]: source,
    [`${PREFIX}type`]: name,
    [`${PREFIX}subject`]: subject,
    [`${PREFIX}time`]: occurredAt,
    [`${PREFIX}dataschema`]: `urn:glimpse:event:${name}:1`,
    ...(traceparent === undefined ? {} : { [`${PREFIX}traceparent`]: traceparent }),
  },
});

/** The attributes of an event that is put into another queue as it is. */
export const cloudEventHeaders = ({ headers = {} }: MessageProperties): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => isAttribute(name)));

/**
 * The envelope that a message holds, as JSON that nobody checked yet. One that is no CloudEvent is taken for an envelope
 * itself: so releases before it published.
 */
export function envelopeText({ headers = {} }: MessageProperties, content: Buffer): string {
  const data = content.toString();
  const attribute = (name: string): unknown => headers[PREFIX + name] ?? headers[OTHER_PREFIX + name];
  if (attribute('specversion') === undefined) return data;
  const attributes = JSON.stringify({
    id: attribute('id'),
    name: attribute('type'),
    occurredAt: attribute('time'),
    subject: attribute('subject'),
    traceparent: attribute('traceparent'),
  });
  return `${attributes.slice(0, -1)}${attributes === '{}' ? '' : ','}"payload":${data}}`;
}
