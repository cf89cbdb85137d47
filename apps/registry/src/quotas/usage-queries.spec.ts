import type { SqlReader } from '@glimpse/persistence';
import { describe, expect, it } from '@jest/globals';
import { usageQueries } from './usage-queries.js';

describe('usageQueries', () => {
  it.each(Object.entries(usageQueries))(
    'measures %s in one statement, past which nothing slips from one part into another',
    async (_, measure) => {
      const statements: string[] = [];
      const sql: SqlReader = {
        query: <Row extends object>(statement: string) => {
          statements.push(statement);
          return Promise.resolve([{ n: '7' }] as unknown as Row[]);
        },
      };

      expect(await measure(sql, 'p1')).toBe(7);
      expect(statements).toHaveLength(1);
    },
  );
});
