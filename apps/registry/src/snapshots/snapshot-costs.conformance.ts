import { expect, it, jest } from '@jest/globals';
import type { Database, TableName, Transaction } from '@glimpse/persistence';
import type { RegistryUnderTest } from '../registry-harness.conformance.js';
import { type SnapshotTools, anOrder } from './snapshot-tools.conformance.js';

/** With all quotas that there are, and without START TRANSACTION and COMMIT. */
const MOST_STATEMENTS = 22;

const noting = (tx: Transaction, seen: string[]): Transaction => ({
  query: <Row extends object>(...[sql, values]: Parameters<Transaction['query']>) => {
    seen.push(sql);
    return tx.query<Row>(sql, values);
  },
  queryUnclaimed: <Row extends object>(...[sql, values]: Parameters<Transaction['query']>) => {
    seen.push(sql);
    return tx.queryUnclaimed<Row>(sql, values);
  },
  execute: (sql, values) => {
    seen.push(sql);
    return tx.execute(sql, values);
  },
  insert: <T extends TableName>(...[table, rows]: Parameters<typeof tx.insert<T>>) => {
    seen.push(`INSERT INTO ${table}`);
    return tx.insert(table, rows);
  },
  beforeCommit: (work) => tx.beforeCommit(work),
  afterCommit: (work) => tx.afterCommit(work),
});

/** The statements of the transactions that `work` runs. */
async function statementsOf({ unitOfWork }: Database, work: () => Promise<unknown>): Promise<string[]> {
  const seen: string[] = [];
  const run = unitOfWork.run.bind(unitOfWork);
  const spy = jest
    .spyOn(unitOfWork, 'run')
    .mockImplementation((inside) => run((tx) => inside(noting(tx, seen))));
  try {
    await work();
  } finally {
    spy.mockRestore();
  }
  return seen;
}

/** What bounds how many requests a second a registry takes. */
export function describeSnapshotCosts({ request }: SnapshotTools, registry: () => RegistryUnderTest): void {
  it('is taken with few statements, and all its events are written in one', async () => {
    const statements = await statementsOf(registry().database, () => request(anOrder()));

    expect(statements.filter((sql) => sql === 'INSERT INTO outbox')).toHaveLength(1);
    expect(statements.filter((sql) => sql.includes('snapshot_requests'))).toHaveLength(2);
    expect(statements.length).toBeLessThanOrEqual(MOST_STATEMENTS);
  });

  it('that comes again changes nothing', async () => {
    const order = anOrder();
    await request(order);

    expect(await statementsOf(registry().database, () => request(order))).toEqual([]);
  });
}
