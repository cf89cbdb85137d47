import { loadConfig } from '@glimpse/config';
import { type CopyState, copyStates, storeOf } from '@glimpse/contracts';
import {
  type Database,
  type LiveLocation,
  type LocationCheckRow,
  findLocationsAfter,
  findLocationsOf,
  requestChecks,
} from '@glimpse/persistence';
import { type Command, Option } from 'commander';
import { matching } from '../filters.js';
import { wholeNumber } from '../numbers.js';
import { OperatorError } from '../operator-error.js';
import { type OutputOptions, report, reportList } from '../output.js';
import { iso } from '../shown-values.js';
import { withCurrentDatabase } from '../with-services.js';

/** Copies that are noted in one transaction. */
const BATCH = 500;

interface VerifyOptions extends OutputOptions {
  readonly all?: boolean;
  readonly store?: string;
  readonly list?: boolean;
  readonly state?: CopyState;
  readonly limit: number;
}

interface CopyFilter {
  /** Undefined for every image. */
  readonly imageId?: string | undefined;
  /** Undefined for every store. */
  readonly storeId?: string | undefined;
}

type ListedRow = Pick<
  LocationCheckRow,
  'image_id' | 'state' | 'reason' | 'damaged_at' | 'intact_at' | 'checked_at' | 'requested_at' | 'queued_at'
> & { meta_data: string | null };

/** Locations that name no store were written before there were several. */
const storeIn = (metadata: string | null, defaultStore: string): string =>
  storeOf({
    url: '',
    metadata: metadata === null ? {} : (JSON.parse(metadata) as Record<string, unknown>),
  }) ?? defaultStore;

/** Has copies read again before those that only have their turn; answers with their number. */
export async function requestVerification(
  database: Database,
  { imageId, storeId }: CopyFilter,
  defaultStore: string,
  now = Date.now(),
): Promise<number> {
  const isMeant = ({ meta_data: metadata }: LiveLocation) =>
    storeId === undefined || storeIn(metadata, defaultStore) === storeId;
  const request = async (locations: readonly LiveLocation[]) => {
    const meant = locations.filter(isMeant);
    await database.unitOfWork.run((tx) => requestChecks(tx, meant, now));
    return meant.length;
  };
  if (imageId !== undefined) return request(await findLocationsOf(database, imageId));
  let requested = 0;
  let batch: LiveLocation[] = [];
  do {
    batch = await findLocationsAfter(database, batch.at(-1)?.id ?? 0, BATCH);
    requested += await request(batch);
  } while (batch.length === BATCH);
  return requested;
}

/** The copies of an image, or those in a state, the last looked at first; without either those that are out of service. */
export async function listCopies(
  database: Database,
  { imageId, state, limit }: { imageId?: string | undefined; state?: CopyState | undefined; limit: number },
  defaultStore: string,
) {
  const { where, values } = matching({ 'c.image_id': imageId, 'c.state': state });
  const which = values.length === 0 ? 'c.damaged_at IS NOT NULL' : where;
  const rows = await database.query<ListedRow>(
    `SELECT c.image_id, c.state, c.reason, c.damaged_at, c.intact_at, c.checked_at, c.requested_at, c.queued_at,
            l.meta_data
       FROM location_checks c JOIN image_locations l ON l.id = c.location_id
      WHERE ${which} AND l.deleted = 0 ORDER BY c.checked_at DESC LIMIT ${limit}`,
    values,
  );
  return rows.map((row) => ({
    image: row.image_id,
    store: storeIn(row.meta_data, defaultStore),
    state: row.state,
    in_service: row.damaged_at === null ? 'yes' : 'no',
    intact: iso(row.intact_at),
    checked: iso(row.checked_at),
    queued: row.requested_at === null && row.queued_at === null ? 'no' : 'yes',
    reason: row.reason,
  }));
}

function filterOf(imageId: string | undefined, { all, store }: VerifyOptions): CopyFilter {
  if ((imageId === undefined) === (all !== true))
    throw new OperatorError('say which image, or --all; not both');
  return { imageId, storeId: store };
}

export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('have stored data read again and compared with what is recorded of it')
    .argument('[id]', 'the id of the image')
    .option('--all', 'the data of every image')
    .option('--store <store>', 'only what is in this store')
    .option('--list', 'show what was found instead: without an id, the copies that are out of service')
    .addOption(new Option('--state <state>', 'with --list: only copies in this state').choices(copyStates))
    .option('--limit <n>', 'with --list: at most this many', wholeNumber(1), 100)
    .option('--json', 'answer in JSON')
    .action(async (imageId: string | undefined, options: VerifyOptions) => {
      const { defaultStore } = loadConfig();
      await withCurrentDatabase(async (database) => {
        if (options.list === true) {
          const { state, limit } = options;
          const found = await listCopies(database, { imageId, state, limit }, defaultStore);
          return reportList(options, found, 'No copies.');
        }
        const copies = await requestVerification(database, filterOf(imageId, options), defaultStore);
        if (copies === 0) throw new OperatorError('there is no data that could be verified');
        report(options, { copies }, `${copies} copies wait to be read.`);
      });
    });
}
