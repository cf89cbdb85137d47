import { RpcClient } from '@glimpse/bus';
import type { FactoryProvider } from '@nestjs/common';
import { InstanceLease, type InstanceLeaseOptions } from './instance-lease.js';

/** The `InstanceLease` of a service as a provider of its module, over the module's own `RpcClient`. */
export const provideInstanceLease = (options: Omit<InstanceLeaseOptions, 'rpc'>): FactoryProvider => ({
  provide: InstanceLease,
  inject: [RpcClient],
  useFactory: (rpc: RpcClient) => new InstanceLease({ ...options, rpc }),
});
