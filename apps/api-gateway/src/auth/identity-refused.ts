/** What was sent to prove an identity proves none; the message may be told to whoever sent it. */
export class IdentityRefused extends Error {
  override readonly name = 'IdentityRefused';
}
