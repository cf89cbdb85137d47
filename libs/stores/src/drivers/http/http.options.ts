import { isAbsolute } from 'node:path';
import { z } from 'zod';

const flag = z.preprocess(
  (value) => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(),
);

/** The options of a store of type `http`, named as in Glance. */
export const HttpOptions = z
  .strictObject({
    /** PEM file with the authorities that servers are checked against; with it `https_insecure` has no effect. */
    https_ca_certificates_file: z.string().refine(isAbsolute, 'must be an absolute path').optional(),
    /** Servers' certificates are not checked. The default is Glance's. */
    https_insecure: flag.default(true),
    /** The proxy for each scheme, e.g. `{https: 'proxy.example.org:3128'}`. */
    http_proxy_information: z
      .strictObject({ http: z.string().min(1).optional(), https: z.string().min(1).optional() })
      .default({}),
    /**
     * Whether locations may lie on this machine, on private and on link-local networks. Users name locations and read
     * what is there, so that by default only what everybody can reach is read. Through a proxy it is the proxy's to
     * resolve names, and to refuse.
     */
    allow_private_addresses: flag.default(false),
  })
  .transform((options) => ({
    caFile: options.https_ca_certificates_file,
    isInsecure: options.https_insecure,
    proxies: options.http_proxy_information,
    allowsPrivate: options.allow_private_addresses,
  }));
export type HttpOptions = z.output<typeof HttpOptions>;
