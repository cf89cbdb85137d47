import { gauge, metricNames } from '@glimpse/observability';

const connections = gauge({
  name: metricNames.busConnected,
  help: '1 while the connection to the message broker is up.',
  labelNames: ['service', 'end'],
});

/** What a connection is for: calling, answering, the requests of compute, or notifications. */
export type ConnectionEnd = 'client' | 'server' | 'snapshots' | 'notifications';

/** Shows operators whether one end of the bus is connected. */
export const showConnected = (service: string, end: ConnectionEnd, isConnected: boolean): void =>
  connections.set({ service, end }, isConnected ? 1 : 0);
