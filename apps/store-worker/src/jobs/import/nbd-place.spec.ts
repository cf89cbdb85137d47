import { describe, expect, it } from '@jest/globals';
import { type Config, loadConfig } from '@glimpse/config';
import { isServiceError } from '@glimpse/contracts';
import { AllowedAddresses } from './allowed-addresses.js';
import { NbdPlace, toNbdFailure } from './nbd-place.js';

type Options = Config['snapshots'];
type Resolve = NonNullable<ConstructorParameters<typeof AllowedAddresses>[1]>;

/** A resolver that answers every name with this address. */
const resolving = (address: string): Resolve => {
  const resolve = (_name: string, _options: object, callback: (...args: unknown[]) => void) =>
    callback(null, [{ address, family: 4 }]);
  return resolve as unknown as Resolve;
};

const describeEnd = (attempt: () => Promise<unknown>): Promise<string> =>
  Promise.resolve()
    .then(attempt)
    .then(
      () => 'connected',
      (error: unknown) => {
        const failure = toNbdFailure(error);
        return isServiceError(failure) ? `${failure.code}: ${failure.message}` : String(failure);
      },
    );

/** What comes of an attempt to connect: to a port at which nobody listens, if at all. */
const outcomeOf = (uri: string, more: Partial<Options> = {}, address = '127.0.0.1') => {
  const options: Options = { ...loadConfig({}).snapshots, ...more };
  const addresses = new AllowedAddresses(options.allowedAddresses, resolving(address));
  return describeEnd(() =>
    new NbdPlace(uri, options, addresses).connect({ connections: 1, signal: new AbortController().signal }),
  );
};

describe('NbdPlace', () => {
  it('reaches only hosts and ports that may be read from', async () => {
    const own = { allowedAddresses: ['127.0.0.1'] };

    expect(await outcomeOf('nbd://127.0.0.1:10809/', own)).toMatch(/^TRANSFER_ABORTED: .*cannot be reached/);
    expect(await outcomeOf('nbd://127.0.0.1:1/', own)).toMatch(/^REQUEST_INVALID: .*its port/);
    expect(await outcomeOf('nbd://127.0.0.1/', { ...own, allowedPorts: [4_000] })).toMatch(/its port/);
    expect(await outcomeOf('nbd://compute-1/', { ...own, allowedHosts: ['compute-2'] })).toMatch(/its host/);
    expect(await outcomeOf('nbd://COMPUTE-2/', { ...own, allowedHosts: ['compute-2'] })).toMatch(
      /^TRANSFER_A/,
    );
    expect(await outcomeOf('nbd://2130706433/', own)).toMatch(/neither a name nor a plain address/);
  });

  it('reaches no address of its own networks that is not named, by whatever name', async () => {
    for (const uri of ['nbd://10.1.2.3/', 'nbd://[::1]/', 'nbd://[::ffff:10.1.2.3]/', 'nbd://compute-1/'])
      expect(await outcomeOf(uri, {}, '10.1.2.3')).toMatch(/^REQUEST_INVALID: .*nothing is imported from/);
  });

  it('checks certificates, by the files that are configured', async () => {
    const tls = { caFile: '/nowhere/ca.pem' };
    const options = { allowedAddresses: ['127.0.0.1'], tls };

    expect(await outcomeOf('nbds://127.0.0.1/', options)).toMatch(
      /^TRANSFER_ABORTED: The files of snapshots\.tls/,
    );
    expect(await outcomeOf('nbds://127.0.0.1/?tls-verify-peer=0', { ...options, tls: {} })).toMatch(
      /tls-verify-peer=0, which is not allowed/,
    );
  });

  it('refuses what is no URI of NBD', async () => {
    expect(await outcomeOf('nbd:unix:/run/x.sock')).toMatch(/^REQUEST_INVALID/);
    expect(await outcomeOf('nbd+unix:///')).toMatch(/^REQUEST_INVALID/);
    expect(await outcomeOf('nbd+unix:///?socket=%00abstract')).toMatch(/^REQUEST_INVALID/);
  });
});
