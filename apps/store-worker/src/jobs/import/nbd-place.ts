import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import type { Config } from '@glimpse/config';
import { ServiceError, isServiceError, normalizeHost, problemWithServer } from '@glimpse/contracts';
import { type NbdAddress, NbdClient, type NbdClientOptions, NbdError, parseNbdUri } from '@glimpse/nbd';
import type { AllowedAddresses } from './allowed-addresses.js';
import { failed } from './failed.js';
import { holdPlace } from './snapshot-path.js';

const CONNECT_TIMEOUT_MS = 10_000;
/** A request that takes longer than the silence that is allowed is not silent. */
const REQUEST_TIMEOUT_MS = 300_000;

type Options = Config['snapshots'];
type Connecting = Pick<NbdClientOptions, 'connections' | 'contexts' | 'signal'>;

/** Where an NBD server is that somebody named, within the operator's rules, which are heeded for each connection anew. */
export class NbdPlace {
  private readonly address: NbdAddress;

  /** Throws REQUEST_INVALID where the URI is none of NBD, or nothing may be read from there. */
  constructor(
    uri: string,
    private readonly options: Options,
    private readonly addresses: AllowedAddresses,
  ) {
    this.address = parsed(uri);
    const { endpoint } = this.address;
    if (endpoint.kind === 'unix') return;
    const { host, port } = endpoint;
    const bracketed = isIPv6(host) ? `[${host}]` : host;
    const normal = normalizeHost(host, URL.parse(`http://${bracketed}`)?.hostname ?? '');
    const problem = problemWithServer({ host: normal, port }, options);
    if (problem !== undefined)
      throw new ServiceError('REQUEST_INVALID', `The URI does not pass filtering: ${problem}`);
    addresses.checkHost(bracketed);
  }

  /** Rejects with what {@link toNbdFailure} makes no other error of, or with an `NbdError`. */
  async connect(connecting: Connecting): Promise<NbdClient> {
    const { endpoint } = this.address;
    if (endpoint.kind === 'tcp') return this.open(this.address, connecting);
    const place = await holdPlace(this.options.fileRoots, endpoint.path).catch(orUnreachable);
    try {
      if (!place.stats.isSocket())
        throw new ServiceError('REQUEST_INVALID', 'The source of the snapshot is not a socket');
      return await this.open({ ...this.address, endpoint: { kind: 'unix', path: place.path } }, connecting);
    } finally {
      await place.close();
    }
  }

  private async open(address: NbdAddress, connecting: Connecting): Promise<NbdClient> {
    const { idleTimeoutMs: idleMs, tls } = this.options;
    const requestMs = Math.max(idleMs, REQUEST_TIMEOUT_MS);
    return NbdClient.connect(address, {
      ...connecting,
      lookup: this.addresses.lookup,
      timeouts: { connectMs: CONNECT_TIMEOUT_MS, idleMs, requestMs },
      ...(address.tls === null ? {} : { tls: await certificates(tls) }),
    });
  }
}

/** A socket that is not there yet, or not for now, is a server that does not listen. */
function orUnreachable(error: unknown): never {
  const cause = isServiceError(error, 'TRANSFER_ABORTED') ? error.cause : undefined;
  if (typeof cause !== 'object' || cause === null || Reflect.get(cause, 'code') !== 'ENOENT') throw error;
  const message = 'The NBD server does not listen: its socket is not there';
  throw new NbdError('NBD_UNREACHABLE', message, { cause: error });
}

function parsed(uri: string): NbdAddress {
  try {
    return parseNbdUri(uri);
  } catch (error) {
    if (error instanceof NbdError) throw new ServiceError('REQUEST_INVALID', error.message);
    throw error;
  }
}

async function certificates({ caFile, certFile, keyFile }: Options['tls']) {
  const read = async (path: string | undefined) => (path === undefined ? undefined : readFile(path));
  try {
    const [ca, cert, key] = await Promise.all([read(caFile), read(certFile), read(keyFile)]);
    return {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    };
  } catch (error) {
    throw failed('The files of snapshots.tls cannot be read', error);
  }
}

/** What a failure of NBD is to an import. */
export function toNbdFailure(error: unknown): unknown {
  if (!(error instanceof NbdError)) return error;
  // A socket is reached by a name that tells nobody anything.
  return failed(error.message.replace(/ \/proc\/self\/fd\/\d+/g, ''), error);
}
