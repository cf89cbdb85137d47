import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { AddressRules, ServiceError } from '@glimpse/contracts';

const refused = () =>
  new ServiceError(
    'REQUEST_INVALID',
    'The URI does not pass filtering: it leads to an address that nothing is imported from',
  );

/** The addresses that may be imported from, and how a connection comes to no other one. */
export class AllowedAddresses {
  private readonly rules: AddressRules;

  /** `networks` are the operator's own that may be; `resolve` as the system does by default. */
  constructor(
    networks: readonly string[],
    private readonly resolve: typeof systemLookup = systemLookup,
  ) {
    this.rules = new AddressRules(networks);
  }

  /** Refuses, with REQUEST_INVALID, a host that is written as an address that is not allowed. */
  checkHost(hostname: string): void {
    if (!this.rules.allowsHost(hostname)) throw refused();
  }

  /** For a connection: it is made to the very addresses that were looked at, of which each must be allowed. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.resolve(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) callback(error ?? new Error('no address'), '', 0);
      else if (!addresses.every(({ address }) => this.rules.allows(address))) callback(refused(), '', 0);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
