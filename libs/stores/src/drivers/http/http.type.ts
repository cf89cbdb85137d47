import { readFileSync } from 'node:fs';
import { type DriverType, OptionError } from '../../driver-type.js';
import { HttpClient } from './http-client.js';
import { HttpDriver } from './http.driver.js';
import { HttpOptions } from './http.options.js';

function readAuthorities(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new OptionError('https_ca_certificates_file', message, { cause: error });
  }
}

/** `type: http`: images that lie on web servers; read only. */
export const httpType: DriverType<HttpOptions> = {
  name: 'http',
  options: HttpOptions,
  open: (options) => {
    const ca = options.caFile === undefined ? undefined : readAuthorities(options.caFile);
    return new HttpDriver(new HttpClient(options, ca));
  },
};
