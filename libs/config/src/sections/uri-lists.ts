import { wholeNumbers, words } from '../option-types.js';

const ports = () => wholeNumbers(1, 65_535);

const NETWORK = /^[0-9a-f.:]+(\/\d{1,3})?$/i;

interface UriRules {
  readonly schemes: string[];
  readonly ports: number[];
  /** What is done with these servers, as their descriptions say it: they may be … */
  readonly use: 'read from' | 'sent to';
}

/** Which servers may be used for somebody; an allow list that is not empty counts alone, as in Glance. */
export const uriLists = ({ schemes, ports: defaultPorts, use }: UriRules) => ({
  allowedSchemes: words().default(schemes).describe(`Schemes of URLs that may be ${use}.`),
  disallowedSchemes: words()
    .default([])
    .describe('Schemes that may not; heeded where allowed_schemes is empty.'),
  allowedHosts: words().default([]).describe(`Hosts that may be ${use}, by name or address; empty for any.`),
  disallowedHosts: words().default([]).describe('Hosts that may not; heeded where allowed_hosts is empty.'),
  allowedPorts: ports().default(defaultPorts).describe('Ports that a URL may name; empty for any.'),
  disallowedPorts: ports()
    .default([])
    .describe('Ports that it may not; heeded where allowed_ports is empty.'),
  allowedAddresses: words()
    .refine((networks) => networks.every((network) => NETWORK.test(network)), {
      error: 'must be addresses or networks, e.g. 10.0.0.5, 10.1.0.0/16',
    })
    .default([])
    .describe(
      `Addresses and networks of your own (loopback, private, link-local) that may be ${use} all the same.`,
    ),
});
