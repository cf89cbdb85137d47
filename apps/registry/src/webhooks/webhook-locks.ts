import type { Transaction } from '@glimpse/persistence';

/**
 * Whether this transaction is the only one that does this, until it ends: then it sees all that the one before it did. Nothing
 * waits here: a registry that stands still while it has the lock would take along every connection of the others.
 */
export async function takeWebhookLock(tx: Transaction, name: 'claims' | 'events'): Promise<boolean> {
  const rows = await tx.queryUnclaimed('SELECT name FROM webhook_locks WHERE name = ?', [name]);
  return rows.length > 0;
}
