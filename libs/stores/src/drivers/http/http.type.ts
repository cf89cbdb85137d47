import { readFileSync } from 'node:fs';
import { type DriverType, orOptionError } from '../../driver-type.js';
import { HttpClient } from './http-client.js';
import { HttpDriver } from './http.driver.js';
import { isHttpTarget } from './http-location.js';
import { HttpOptions } from './http.options.js';

/** `type: http`: images that lie on web servers; read only. */
export const httpType: DriverType<HttpOptions> = {
  name: 'http',
  options: HttpOptions,
  properties: () => ({}),
  recognizes: (_options, uri) => isHttpTarget(uri),
  open: (options) => {
    const { caFile } = options;
    const ca =
      caFile === undefined
        ? undefined
        : orOptionError('https_ca_certificates_file', () => readFileSync(caFile, 'utf8'));
    return new HttpDriver(new HttpClient(options, ca));
  },
};
