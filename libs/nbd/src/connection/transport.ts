import { type LookupFunction, Socket, isIP } from 'node:net';
import { type SecureContext, TLSSocket, connect as connectTls, createSecureContext } from 'node:tls';
import { NbdError } from '../nbd-error.js';
import { type NbdAddress, describeEndpoint } from '../nbd-uri.js';

/** X.509 of a TLS connection, in PEM. */
export interface NbdTlsOptions {
  /** The authorities that servers' certificates are checked against; without it those of the system. */
  readonly ca?: string | Buffer;
  /** The client's own certificate, where servers want one. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** Whether `tls-verify-peer=0` of a URI holds; else such a URI is refused. */
  readonly allowUnverified?: boolean;
}

function secureContextOf({ ca, cert, key }: NbdTlsOptions): SecureContext {
  try {
    return createSecureContext({
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      minVersion: 'TLSv1.2',
    });
  } catch (error) {
    const message = 'The certificates or the key for NBD servers cannot be used';
    throw new NbdError('NBD_TLS_FAILED', message, { cause: error });
  }
}

/** Takes what a connection brings. */
export interface ByteSink {
  /** The chunk is valid during the call only. What this throws ends the connection. */
  receive(chunk: Buffer): void;
  /** Called once, when the connection is gone. */
  failed(error: Error): void;
}

const READ_BUFFER_BYTES = 1_048_576;
const KEEP_ALIVE_MS = 30_000;
const CLOSE_MS = 1_000;

/** Errors of a connection that another attempt does not mend. */
const FORBIDDEN = new Set(['EACCES', 'EPERM']);
/** ECONNRESET, EPIPE and the like; not what OpenSSL and Node's own checks say (`ERR_…`). */
const SYSTEM_CODE = /^E(?!RR)/;

/** A byte stream to a server: TCP or a local socket, later with TLS around it. It ends by `fail` or `close`, never by itself unnoticed. */
export class Transport {
  private stream: Socket | TLSSocket;
  private failure: Error | null = null;
  private isConnected = false;
  private hasSecuredBytes = false;
  private closing: (() => void) | null = null;

  constructor(
    private readonly address: NbdAddress,
    private sink: ByteSink,
    lookup?: LookupFunction,
  ) {
    this.stream = address.tls === null ? this.createFastSocket() : new Socket();
    if (address.tls !== null) this.stream.on('data', (chunk) => this.deliver(chunk));
    this.watch(this.stream);
    const { endpoint } = address;
    if (endpoint.kind === 'unix') this.stream.connect({ path: endpoint.path });
    else this.stream.connect({ host: endpoint.host, port: endpoint.port, ...(lookup && { lookup }) });
  }

  /** Resolves when the server took the connection; the sink hears of a failure. */
  async connected(): Promise<void> {
    await this.settled((resolve) => this.stream.once('connect', resolve));
    this.isConnected = true;
    this.stream.setNoDelay(true);
    this.stream.setKeepAlive(true, KEEP_ALIVE_MS);
  }

  /** Speaks TLS from here on; nothing may be under way in either direction. */
  async secure(options: NbdTlsOptions): Promise<void> {
    const { tls } = this.address;
    if (tls === null) throw new RangeError('The address does not ask for TLS');
    const plain = this.stream;
    plain.removeAllListeners('data');
    const secured = connectTls({
      socket: plain,
      secureContext: secureContextOf(options),
      host: tls.hostname,
      // A server name is a name: an address is compared with the certificate only.
      ...(isIP(tls.hostname) === 0 && { servername: tls.hostname }),
      rejectUnauthorized: tls.verifyPeer,
    });
    this.stream = secured;
    this.watch(secured);
    secured.on('data', (chunk) => {
      this.hasSecuredBytes = true;
      this.deliver(chunk);
    });
    await this.settled((resolve) => secured.once('secureConnect', resolve));
  }

  /** From now on `sink` gets what comes. */
  deliverTo(sink: ByteSink): void {
    this.sink = sink;
    if (this.failure !== null) sink.failed(this.failure);
  }

  write(data: Buffer): void {
    if (this.failure === null) this.stream.write(data);
  }

  /** Ends the connection at once, and tells the sink why. Only the first call counts. */
  fail(error: Error): void {
    if (this.failure !== null) return;
    this.failure = error;
    this.stream.destroy();
    this.sink.failed(error);
  }

  /** Sends `farewell` and ends the connection; resolves when it is closed, a second later at most. */
  async close(farewell: Buffer): Promise<void> {
    if (this.failure !== null) return;
    const error = new NbdError('NBD_CLOSED', 'The NBD client was closed');
    this.failure = error;
    this.sink.failed(error);
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.stream.destroy(), CLOSE_MS);
      this.closing = () => {
        clearTimeout(timer);
        resolve();
      };
      this.stream.end(farewell, () => this.stream.destroy());
    });
  }

  /** Reads into one buffer again and again: half the work of a stream that makes a new one each time. TLS cannot. */
  private createFastSocket(): Socket {
    const callback = (bytes: number, buffer: Uint8Array) => {
      this.deliver(Buffer.from(buffer.buffer, buffer.byteOffset, bytes));
      return true;
    };
    const onread = { buffer: Buffer.allocUnsafeSlow(READ_BUFFER_BYTES), callback };
    return new Socket({ onread });
  }

  private deliver(chunk: Buffer): void {
    if (this.failure !== null) return;
    try {
      this.sink.receive(chunk);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  private watch(stream: Socket): void {
    stream.on('error', (error) => this.fail(this.explain(error)));
    stream.on('end', () => this.fail(this.hungUp()));
    stream.on('close', () => {
      // TLS took over what is below it, and has the word on how that ended.
      if (stream !== this.stream) return;
      this.fail(this.lost('it was closed'));
      this.closing?.();
    });
  }

  private async settled(start: (resolve: () => void) => void): Promise<void> {
    if (this.failure !== null) throw this.failure;
    await new Promise<void>((resolve, reject) => {
      start(resolve);
      this.stream.once('close', () => reject(this.failure ?? this.lost('it was closed')));
    });
  }

  private hungUp(): NbdError {
    if (!(this.stream instanceof TLSSocket) || this.hasSecuredBytes) return this.lost('the server closed it');
    // In TLS 1.3 a client learns only so that its certificate was not accepted, of servers that do not say it.
    const message =
      'The NBD server hung up right after the TLS handshake: it wants a certificate of the client, or another one';
    return new NbdError('NBD_TLS_FAILED', message);
  }

  private lost(why: string, cause?: unknown): NbdError {
    const message = `The connection to the NBD server ${describeEndpoint(this.address.endpoint)} was lost: ${why}`;
    return new NbdError('NBD_CONNECTION_LOST', message, { cause });
  }

  private explain(error: Error & { code?: string; syscall?: string }): Error {
    const where = describeEndpoint(this.address.endpoint);
    const { code = '' } = error;
    if ('encrypted' in this.stream && code !== '' && !SYSTEM_CODE.test(code))
      return new NbdError('NBD_TLS_FAILED', `No TLS with the NBD server ${where}: ${error.message}`, {
        cause: error,
      });
    if (this.isConnected) return this.lost(error.message, error);
    // A name that was not allowed to be looked up: the answer of who looks names up.
    if (error.syscall === undefined && !(error instanceof AggregateError)) return error;
    const message = `The NBD server ${where} cannot be reached: ${error.message || code}`;
    return new NbdError(FORBIDDEN.has(code) ? 'NBD_REFUSED' : 'NBD_UNREACHABLE', message, { cause: error });
  }
}
