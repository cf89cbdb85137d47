export { type WorkContext, currentContext, runInContext, traceIdOf, traceparentFrom } from './context.js';
export { type Logger, createLogger, redactCredentials } from './logger.js';
export { NestLogger } from './nest-logger.js';
export { collectProcessMetrics, counter, gauge, histogram, metricNames, renderMetrics } from './metrics.js';
