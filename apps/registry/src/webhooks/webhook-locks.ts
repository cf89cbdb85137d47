import { type Transaction, UniqueViolation } from '@glimpse/persistence';

/**
 * Waits for the other transaction that does this, and keeps others waiting until this one ends: of two registries each
 * sees all that the one before it did. Nothing else touches the row.
 */
export async function holdWebhookLock(
  tx: Transaction,
  name: 'claims' | 'events',
  now: number,
): Promise<void> {
  const take = () => tx.execute('UPDATE webhook_locks SET held_at = ? WHERE name = ?', [now, name]);
  if ((await take()) === 1) return;
  try {
    await tx.insert('webhook_locks', [{ name, held_at: now }]);
  } catch (error) {
    // Another one was the first to hold it, and has ended.
    if (!(error instanceof UniqueViolation)) throw error;
    await take();
  }
}
