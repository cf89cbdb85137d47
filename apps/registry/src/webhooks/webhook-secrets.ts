import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { ServiceError } from '@glimpse/contracts';
import { Injectable } from '@nestjs/common';
import { RegistrySettings } from '../registry-settings.js';

// As Standard Webhooks has them.
const PREFIX = 'whsec_';
const MIN_BYTES = 24;
const MAX_BYTES = 64;

const NEW_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';
/** Of a secret that is encrypted; one that is not begins with its own prefix. */
const SEALED = 'sealed:';

const keyOf = (secret: string) => Buffer.from(secret.slice(PREFIX.length), 'base64');

/** Throws REQUEST_INVALID for a text that is no secret of Standard Webhooks. Never tells it. */
export function checkSecret(text: string): void {
  const encoded = text.startsWith(PREFIX) ? text.slice(PREFIX.length) : undefined;
  const bytes = encoded === undefined ? 0 : Buffer.from(encoded, 'base64').length;
  const isBase64 = encoded !== undefined && Buffer.from(encoded, 'base64').toString('base64') === encoded;
  if (!isBase64 || bytes < MIN_BYTES || bytes > MAX_BYTES)
    throw new ServiceError(
      'REQUEST_INVALID',
      `A secret is ${PREFIX} and ${MIN_BYTES} to ${MAX_BYTES} bytes in base64.`,
    );
}

export const newSecret = (): string => `${PREFIX}${randomBytes(NEW_BYTES).toString('base64')}`;

/** A message for one attempt. */
export interface SignedMessage {
  readonly id: string;
  /** Of the attempt, in seconds: receivers refuse old ones, so that nobody can send a message of old again. */
  readonly timestamp: number;
  /** JSON, to the letter what is sent. */
  readonly payload: string;
}

/** The value of `webhook-signature`: a signature with each of the secrets. */
export const signaturesOf = (secrets: readonly string[], { id, timestamp, payload }: SignedMessage): string =>
  secrets
    .map((secret) =>
      createHmac('sha256', keyOf(secret)).update(`${id}.${timestamp}.${payload}`).digest('base64'),
    )
    .map((signature) => `v1,${signature}`)
    .join(' ');

/** How secrets are kept in the database: encrypted, where the operator has a key for that (ADR 0024). */
@Injectable()
export class WebhookSecrets {
  private readonly keys: readonly Buffer[];

  constructor({ config }: RegistrySettings) {
    this.keys = config.webhooks.secretKeys.map((key) => Buffer.from(key, 'base64'));
  }

  /** What is stored of the secret of that webhook. */
  seal(secret: string, webhookId: string): string {
    const [key] = this.keys;
    if (key === undefined) return secret;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, key, nonce).setAAD(Buffer.from(webhookId));
    const sealed = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${SEALED}${sealed.toString('base64')}`;
  }

  /** The secret again; undefined where no key opens it. */
  open(stored: string, webhookId: string): string | undefined {
    if (!stored.startsWith(SEALED)) return stored;
    const sealed = Buffer.from(stored.slice(SEALED.length), 'base64');
    for (const key of this.keys) {
      const secret = decrypt(sealed, key, webhookId);
      if (secret !== undefined) return secret;
    }
    return undefined;
  }
}

function decrypt(sealed: Buffer, key: Buffer, webhookId: string): string | undefined {
  try {
    const decipher = createDecipheriv(CIPHER, key, sealed.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(webhookId))
      .setAuthTag(sealed.subarray(-TAG_BYTES));
    const opened = decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES));
    return Buffer.concat([opened, decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
