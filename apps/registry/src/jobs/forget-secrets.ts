import { endedImportPayload, jobPayloadOf } from '@glimpse/contracts';
import type { JobRow, Transaction } from '@glimpse/persistence';

/** The job has ended: what its row holds that only its worker was to know is taken out of it. */
export async function forgetSecrets(
  tx: Transaction,
  { id, kind, payload: text }: Pick<JobRow, 'id' | 'kind' | 'payload'>,
): Promise<void> {
  if (kind !== 'import') return;
  const payload = endedImportPayload(jobPayloadOf('import', JSON.parse(text)));
  if (payload !== undefined)
    await tx.execute('UPDATE jobs SET payload = ? WHERE id = ?', [JSON.stringify(payload), id]);
}
