import { ServiceError } from '@glimpse/contracts';

/** TRANSFER_ABORTED: what is to be read cannot be, at this place or now. */
export const failed = (message: string, cause?: unknown) =>
  new ServiceError('TRANSFER_ABORTED', message, { cause });
