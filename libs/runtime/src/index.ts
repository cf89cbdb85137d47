export { type HealthCheck, type HealthChecks, type Readiness, checkReadiness } from './health.js';
export { startHealthServer } from './health-server.js';
export { onBroker } from './on-broker.js';
export { InstanceLease, type InstanceLeaseOptions } from './instance-lease.js';
export { provideInstanceLease } from './provide-instance-lease.js';
export { runService } from './run-service.js';
export type { RunningService } from './running-service.js';
export { isDoneWithin, once, runAllInOrder } from './shutdown.js';
