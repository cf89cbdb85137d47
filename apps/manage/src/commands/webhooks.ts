import { webhookDeliveryStatuses } from '@glimpse/contracts';
import { type Database, type WebhookDeliveryRow, type WebhookRow, placeholders } from '@glimpse/persistence';
import { type Command, Option } from 'commander';
import { matching } from '../filters.js';
import { wholeNumber } from '../numbers.js';
import { OperatorError } from '../operator-error.js';
import { type OutputOptions, report, reportList } from '../output.js';
import { iso } from '../shown-values.js';
import { withCurrentDatabase } from '../with-services.js';

interface ListOptions extends OutputOptions {
  readonly project?: string;
  readonly disabled?: boolean;
  readonly limit: number;
}
interface DeliveriesOptions extends OutputOptions {
  readonly webhook?: string;
  readonly status?: string;
  readonly limit: number;
}
interface RetryOptions extends OutputOptions {
  readonly webhook?: string;
}

/** The webhooks that match, the oldest first; without their URLs, which may hold what only the project knows. */
export async function listWebhooks(database: Database, { project, disabled, limit }: ListOptions) {
  const { where, values } = matching({ 'w.project_id': project });
  const state = disabled === true ? 'AND w.is_enabled = 0' : '';
  const count = (status: string) =>
    `(SELECT COUNT(*) FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.status = '${status}')`;
  const rows = await database.query<WebhookRow & { waiting: number; failed: number }>(
    `SELECT w.id, w.project_id, w.host, w.event_types, w.is_enabled, w.disabled_reason, w.failing_since,
            ${count('waiting')} AS waiting, ${count('failed')} AS failed
       FROM webhooks w WHERE w.deleted_at IS NULL ${state} AND ${where} ORDER BY w.seq LIMIT ${limit}`,
    values,
  );
  return rows.map((row) => ({
    id: row.id,
    project: row.project_id,
    host: row.host,
    types: (JSON.parse(row.event_types) as string[]).join(','),
    state: row.is_enabled === 1 ? 'enabled' : `disabled (${row.disabled_reason ?? 'switched off'})`,
    failing: iso(row.failing_since),
    waiting: row.waiting,
    failed: row.failed,
  }));
}

/** The messages that match, the newest first. */
export async function listDeliveries(database: Database, { webhook, status, limit }: DeliveriesOptions) {
  const { where, values } = matching({ webhook_id: webhook, status });
  const rows = await database.query<WebhookDeliveryRow>(
    `SELECT id, webhook_id, type, subject, status, attempt, due_at, last_status, last_error, created_at
       FROM webhook_deliveries WHERE ${where}
      ORDER BY seq DESC LIMIT ${limit}`,
    values,
  );
  return rows.map((row) => ({
    id: row.id,
    webhook: row.webhook_id,
    type: row.type,
    subject: row.subject,
    status: row.status,
    attempts: row.attempt,
    due: row.status === 'waiting' ? iso(row.due_at) : null,
    created: iso(row.created_at),
    error: row.last_error,
  }));
}

/** Makes messages that failed due now: these, or all of a webhook. Answers how many; those of disabled webhooks stay. */
export async function retryDeliveries(
  database: Database,
  chosen: { readonly ids: readonly string[] } | { readonly webhook: string },
): Promise<number> {
  const [which, values] =
    'webhook' in chosen
      ? ['webhook_id = ?', [chosen.webhook]]
      : [`id IN (${placeholders(chosen.ids)})`, chosen.ids];
  return database.unitOfWork.run((tx) =>
    tx.execute(
      `UPDATE webhook_deliveries SET status = 'waiting', attempt = 0, due_at = ?, ended_at = NULL
        WHERE ${which} AND status = 'failed'
          AND webhook_id IN (SELECT id FROM webhooks WHERE is_enabled = 1 AND deleted_at IS NULL)`,
      [Date.now(), ...values],
    ),
  );
}

async function retry(ids: readonly string[], { webhook, ...options }: RetryOptions): Promise<void> {
  if ((webhook === undefined) === (ids.length === 0))
    throw new OperatorError('name the messages to send again, or say --webhook');
  const chosen = webhook === undefined ? { ids } : { webhook };
  const count = await withCurrentDatabase((database) => retryDeliveries(database, chosen));
  if (count < ids.length)
    throw new OperatorError(
      `${count} of ${ids.length} are due now; the others have not failed, or their webhook is disabled`,
    );
  report(options, { count }, `${count} messages are due now.`);
}

export function addWebhooks(program: Command): void {
  const webhooks = program.command('webhooks').description('what projects are told over HTTP');
  webhooks
    .command('list')
    .description('list webhooks, the oldest first')
    .option('--project <id>', 'only of this project')
    .option('--disabled', 'only those that are sent nothing')
    .option('--limit <n>', 'at most this many', wholeNumber(1), 100)
    .option('--json', 'answer in JSON')
    .action(async (options: ListOptions) => {
      const found = await withCurrentDatabase((database) => listWebhooks(database, options));
      reportList(options, found, 'No webhooks.');
    });
  webhooks
    .command('deliveries')
    .description('list messages, the newest first')
    .option('--webhook <id>', 'only to this webhook')
    .addOption(new Option('--status <status>', 'only those in this status').choices(webhookDeliveryStatuses))
    .option('--limit <n>', 'at most this many', wholeNumber(1), 100)
    .option('--json', 'answer in JSON')
    .action(async (options: DeliveriesOptions) => {
      const found = await withCurrentDatabase((database) => listDeliveries(database, options));
      reportList(options, found, 'No messages.');
    });
  webhooks
    .command('retry')
    .description('have messages that failed sent again, with all their attempts before them')
    .argument('[ids...]', 'as `webhooks deliveries` shows them')
    .option('--webhook <id>', 'all that failed of this webhook')
    .option('--json', 'answer in JSON')
    .action(retry);
}
