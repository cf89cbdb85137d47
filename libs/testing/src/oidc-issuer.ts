import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import { Server as TlsServer, createServer as createTlsServer } from 'node:https';
import { type CryptoKey, type JWK, type JWTPayload, SignJWT, exportJWK, generateKeyPair } from 'jose';

interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly key: CryptoKey;
  readonly published: JWK;
}

export interface TokenOptions {
  /** Instead of the key that signs now: for a key that the issuer has withdrawn, or never had. */
  readonly signedBy?: { readonly kid: string; readonly alg: string; readonly key: CryptoKey | Uint8Array };
  /** Seconds from now; negative: in the past. */
  readonly expiresIn?: number;
  readonly validFrom?: number;
}

/** An OpenID Connect issuer on this machine, with discovery and keys, that signs what it is asked to. */
export class OidcIssuer {
  /** Keys were asked for so many times. */
  keyRequests = 0;
  /** What is answered in place of the documents, if anything: 503, or a redirect. */
  broken: { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | null = null;
  /** More of the discovery document. */
  discovery: Readonly<Record<string, unknown>> = {};
  private keys: SigningKey[] = [];
  private lastKey = 0;

  private constructor(private readonly server: Server | TlsServer) {}

  /** Starts it with one key, behind TLS where a certificate is given. Whoever starts it closes it. */
  static async start(tls?: { cert: string; key: string }): Promise<OidcIssuer> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    const issuer = new OidcIssuer(server);
    server.on('request', (request, response) => {
      const { broken } = issuer;
      if (broken !== null) response.writeHead(broken.status, broken.headers).end();
      else response.setHeader('content-type', 'application/json').end(issuer.document(request.url ?? ''));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    await issuer.rotate();
    return issuer;
  }

  get url(): string {
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('The issuer does not listen');
    return `${this.server instanceof TlsServer ? 'https' : 'http'}://127.0.0.1:${address.port}`;
  }

  /** The key that signs now. */
  get key(): SigningKey {
    return this.keys.at(-1)!;
  }

  /** Signs with a new key from now on; `withdraw` takes the old ones back. */
  async rotate(options: { alg?: string; withdraw?: boolean } = {}): Promise<void> {
    const alg = options.alg ?? 'RS256';
    const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
    const kid = `key-${(this.lastKey += 1)}`;
    const published = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
    this.keys = [...(options.withdraw === true ? [] : this.keys), { kid, alg, key: privateKey, published }];
  }

  /** A token with these claims, for the audience `glimpse` and valid for five minutes unless told otherwise. */
  token(claims: JWTPayload, options: TokenOptions = {}): Promise<string> {
    const { kid, alg, key } = options.signedBy ?? this.key;
    const now = Math.floor(Date.now() / 1000);
    const payload = {
      iss: this.url,
      aud: 'glimpse',
      iat: now,
      exp: now + (options.expiresIn ?? 300),
      ...claims,
    };
    const jwt = new SignJWT(
      options.validFrom === undefined ? payload : { ...payload, nbf: now + options.validFrom },
    );
    return jwt.setProtectedHeader({ alg, kid }).sign(key);
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    if (this.server.listening) await once(this.server, 'close');
  }

  private document(path: string): string {
    if (path === '/keys') {
      this.keyRequests += 1;
      return JSON.stringify({ keys: this.keys.map(({ published }) => published) });
    }
    return JSON.stringify({ issuer: this.url, jwks_uri: `${this.url}/keys`, ...this.discovery });
  }
}
