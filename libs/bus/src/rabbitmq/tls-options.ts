import { readFileSync } from 'node:fs';
import type { BusOptions } from '../bus-options.js';

const fromFile = (name: 'ca' | 'cert' | 'key', path: string | undefined) =>
  path === undefined ? {} : { [name]: readFileSync(path) };

/** What Node's TLS is told for `amqps:`; the files are read each time, since certificates are renewed. */
export const tlsOptions = ({ url, options: { tls } }: Pick<BusOptions, 'url' | 'options'>): object =>
  url.startsWith('amqps:')
    ? {
        ...fromFile('ca', tls.caFile),
        ...fromFile('cert', tls.certFile),
        ...fromFile('key', tls.keyFile),
        ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
      }
    : {};
