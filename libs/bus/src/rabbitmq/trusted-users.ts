import type { MessageProperties } from 'amqplib';

/** The user that a URL logs in as. */
export const userOf = (url: string): string => decodeURIComponent(new URL(url).username) || 'guest';

/**
 * The users whose messages are taken. Who published a message is its `user-id`: the broker closes the channel of
 * whoever names another user than itself.
 */
export class TrustedUsers {
  private readonly users: ReadonlySet<unknown>;

  constructor(own: string, others: readonly string[]) {
    this.users = new Set([own, ...others]);
  }

  /** Why a message is not to be taken; null when it is. */
  refusalOf({ userId }: MessageProperties): string | null {
    const sender: unknown = userId;
    if (this.users.has(sender)) return null;
    return typeof sender === 'string'
      ? `published by the user ${sender.slice(0, 100)}, who is not one of bus.trusted_users`
      : 'published without a user-id';
  }
}
