import { type Logger, counter, metricNames } from '@glimpse/observability';

const refused = counter({
  name: metricNames.busRefused,
  help: 'Messages that were refused because their publisher is not trusted.',
  labelNames: ['kind'],
});

/** Tells operators of a message that somebody published who is none of the services. */
export function reportRefusal(logger: Logger, kind: 'request' | 'event' | 'answer', reason: string): void {
  refused.inc({ kind });
  logger.error({ kind, reason }, 'refused a message of the bus');
}
