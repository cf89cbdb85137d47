import { counter, gauge, histogram, metricNames } from '@glimpse/observability';

/** What is asked of Keystone. */
export type Operation = 'login' | 'validate' | 'discover' | 'limits' | 'catalog';

/** `hit`: known, `refused`: known to be no good, `joined`: somebody was asking already, `miss`: Keystone is asked. */
export const cacheLookups = counter({
  name: metricNames.keystoneCacheLookups,
  help: 'Tokens of requests, by what the cache knew of them.',
  labelNames: ['result'],
});

export const validations = counter({
  name: metricNames.keystoneValidations,
  help: 'Tokens that Keystone was asked about: valid, invalid, or unavailable when it gave no answer.',
  labelNames: ['outcome'],
});

export const requestDurations = histogram({
  name: metricNames.keystoneRequests,
  help: 'Time of a request to Keystone; status 0 when there was no answer.',
  labelNames: ['operation', 'status'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
});

export const available = gauge({
  name: metricNames.keystoneAvailable,
  help: 'Whether Keystone answers: 0 while it is left alone because it did not.',
});
