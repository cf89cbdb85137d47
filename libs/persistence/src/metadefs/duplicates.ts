import { ServiceError } from '@glimpse/contracts';
import { UniqueViolation } from '../database-errors.js';

/** Runs `work`; a key that is taken is METADEF_DUPLICATE with `message`. */
export async function orDuplicate<T>(message: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UniqueViolation)) throw error;
    throw new ServiceError('METADEF_DUPLICATE', message, { cause: error });
  }
}
