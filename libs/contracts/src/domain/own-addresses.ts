import { BlockList, isIP } from 'node:net';

/** Networks that only machines of the operator are in: this machine, its neighbours, private networks, carrier NAT. */
// A list each: in one, IPv4 would be found in the network of IPv6 that it is mapped to.
const operators = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  operators.ipv4.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  // Among them ::1, and IPv4 in the way that was given up (::a.b.c.d).
  ['::', 96],
  // Addresses of IPv4 in other clothes: whoever needs them writes IPv4.
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  operators.ipv6.addSubnet(network, prefix, 'ipv6');

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** Whether the IP address is one that only the operator's own machines reach, or none that anybody has. */
export function isOwnAddress(address: string): boolean {
  const family = familyOf(address);
  return operators[family].check(address, family);
}

/** The addresses that may be asked for somebody: those that everybody reaches, and those that the operator names. */
export class AddressRules {
  // A list each: in one, IPv4 would be found in the network of IPv6 that it is mapped to.
  private readonly named = { ipv4: new BlockList(), ipv6: new BlockList() };

  /** `networks` as `10.0.0.5` or `10.1.0.0/16`. */
  constructor(networks: readonly string[]) {
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

  /** False for the host of a URL that is written as an address which is not allowed. A name says nothing yet. */
  allowsHost(hostname: string): boolean {
    const host = hostname.replace(/^\[|\]$/g, '');
    return isIP(host) === 0 || this.allows(host);
  }
}
