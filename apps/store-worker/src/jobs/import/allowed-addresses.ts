import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import { BlockList, type LookupFunction, isIP } from 'node:net';
import { ServiceError, isOwnAddress } from '@glimpse/contracts';

const refused = () =>
  new ServiceError(
    'REQUEST_INVALID',
    'The URI does not pass filtering: it leads to an address that nothing is imported from',
  );

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** The addresses that may be imported from: those that everybody reaches, and those that the operator names. */
export class AllowedAddresses {
  // A list each: in one, IPv4 would be found in the network of IPv6 that it is mapped to.
  private readonly named = { ipv4: new BlockList(), ipv6: new BlockList() };

  /** `networks` as `10.0.0.5` or `10.1.0.0/16`; `resolve` as the system does by default. */
  constructor(
    networks: readonly string[],
    private readonly resolve: typeof systemLookup = systemLookup,
  ) {
    for (const network of networks) {
      const [address = '', bits] = network.split('/');
      const family = familyOf(address);
      const prefix = bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits);
      this.named[family].addSubnet(address, prefix, family);
    }
  }

  allows(address: string): boolean {
    const family = familyOf(address);
    return !isOwnAddress(address) || this.named[family].check(address, family);
  }

  /** Refuses, with REQUEST_INVALID, a host that is written as an address that is not allowed. */
  checkHost(hostname: string): void {
    const host = hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !this.allows(host)) throw refused();
  }

  /** For a connection: it is made to the very addresses that were looked at, of which each must be allowed. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    this.resolve(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) callback(error ?? new Error('no address'), '', 0);
      else if (!addresses.every(({ address }) => this.allows(address))) callback(refused(), '', 0);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}
