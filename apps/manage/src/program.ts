import { Command } from 'commander';
import { addBus } from './commands/bus.js';
import { addDeadLetters } from './commands/dead-letters.js';
import { addImages } from './commands/images.js';
import { addJobs } from './commands/jobs.js';
import { addMetadefs } from './commands/metadefs.js';
import { addMigrate } from './commands/migrate.js';
import { addPolicy } from './commands/policy.js';
import { addVerify } from './commands/verify.js';
import { addPurge } from './commands/purge.js';
import { addQuarantine } from './commands/quarantine.js';
import { addReconcile } from './commands/reconcile.js';
import { addWebhooks } from './commands/webhooks.js';
import { addSnapshots } from './commands/snapshots.js';

const EXAMPLES = `
Reads the same configuration as the services: GLIMPSE_CONFIG, GLIMPSE_DATABASE_URL, GLIMPSE_BUS_URL, ...

Examples:
  glimpse-manage migrate
  glimpse-manage jobs list --status failed
  glimpse-manage jobs retry 5f0c7c4e-3f0e-4a53-9a0e-6f5c3c9d2b11
  glimpse-manage snapshots list --status failed
  glimpse-manage images restore 5f0c7c4e-3f0e-4a53-9a0e-6f5c3c9d2b11
  glimpse-manage bus declare
  glimpse-manage dead-letters list --json
  glimpse-manage dead-letters replay --all
  glimpse-manage policy check --rule delete_image --roles member --project p1 --target owner=p1
  glimpse-manage verify --all --store archive
  glimpse-manage verify --list --json
  glimpse-manage purge --older-than-days 30 --max-rows 10000
  glimpse-manage purge images --older-than-days 180
  glimpse-manage reconcile --json
  glimpse-manage reconcile --repair --grace-seconds 86400
  glimpse-manage quarantine list
  glimpse-manage quarantine restore 6cba5828-496e-4668-9c83-326ae010e4e4
  glimpse-manage webhooks deliveries --status failed
  glimpse-manage load-metadefs --path /etc/glance/metadefs --merge --prefer-new
  glimpse-manage export-metadefs --path ./metadefs

Exit codes: 0 done, 1 it could not be done, 2 wrong usage or configuration,
3 the stores and the database differ (reconcile).`;

/** The operator's command with all its subcommands; it throws where it would end the process. */
export function createProgram(): Command {
  const program = new Command('glimpse-manage')
    .description('Looks after a Glimpse.')
    .addHelpText('after', EXAMPLES)
    .enablePositionalOptions()
    .exitOverride();
  for (const add of [
    addMigrate,
    addJobs,
    addImages,
    addDeadLetters,
    addPurge,
    addBus,
    addPolicy,
    addMetadefs,
    addVerify,
    addReconcile,
    addQuarantine,
    addWebhooks,
    addSnapshots,
  ])
    add(program);
  return program;
}
