import type { Logger } from 'typeorm';

const say = () => undefined;
/** TypeORM says nothing: whoever calls logs the outcome, with credentials cut out. */
export const silentLogger: Logger = {
  logQuery: say,
  logQueryError: say,
  logQuerySlow: say,
  logSchemaBuild: say,
  logMigration: say,
  log: say,
};
