import { randomBytes } from 'node:crypto';

/** Secrets that a test has put where they belong, so that it can look for them where they do not. */
export class PlantedSecrets {
  private readonly labels = new Map<string, string>();

  /** A new secret; `label` says where it was put. */
  plant(label: string): string {
    const secret = `s3cret${randomBytes(12).toString('hex')}`;
    this.add(label, secret);
    return secret;
  }

  /** A secret that was made elsewhere. */
  add(label: string, secret: string): void {
    this.labels.set(secret, label);
  }

  /** The labels of those that `text` holds, plain or as base64. */
  foundIn(text: string): string[] {
    const holds = (secret: string) =>
      text.includes(secret) || text.includes(btoa(secret).replace(/=+$/, '').slice(0, -2));
    return [...this.labels].filter(([secret]) => holds(secret)).map(([, label]) => label);
  }
}
