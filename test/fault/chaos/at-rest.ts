import type { Database } from '@glimpse/persistence';

/** What is in motion, or waits for somebody who may be gone: nothing of it may last. */
const questions: Readonly<Record<string, string>> = {
  job: "SELECT id, kind, status, attempt, image_id, due_at, last_error FROM jobs WHERE status IN ('queued', 'running')",
  task: "SELECT id, status, image_id FROM tasks WHERE deleted = 0 AND status IN ('pending', 'processing')",
  image:
    "SELECT id, status FROM images WHERE deleted = 0 AND (status IN ('saving', 'importing') OR (status = 'uploading' AND id NOT IN (SELECT image_id FROM staged_data)))",
  'upload lease':
    "SELECT id, state, owner, image_id FROM leases WHERE kind = 'upload' AND state IN ('held', 'reaping')",
  'unsent event': 'SELECT id, name, subject FROM outbox WHERE sent_at IS NULL',
};

/** Names everything that is not at rest. */
export async function findInMotion(database: Database): Promise<string[]> {
  const found: string[] = [];
  for (const [what, sql] of Object.entries(questions))
    for (const row of await database.query(sql)) found.push(`${what} ${JSON.stringify(row)}`);
  return found;
}
