import { gauge, metricNames } from '@glimpse/observability';

const connections = gauge({
  name: metricNames.busConnected,
  help: '1 while the connection to the message broker is up.',
  labelNames: ['service', 'end'],
});

/** Shows operators whether one end of the bus is connected. */
export const showConnected = (service: string, end: 'client' | 'server', isConnected: boolean): void =>
  connections.set({ service, end }, isConnected ? 1 : 0);
