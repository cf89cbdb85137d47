import { ServiceError } from '@glimpse/contracts';

/** Nothing can be said about who is calling, because Keystone can't be asked. The cause is for the log. */
export const identityUnavailable = (cause: unknown) =>
  new ServiceError(
    'IDENTITY_UNAVAILABLE',
    'The identity service is temporarily unavailable, please try again.',
    { cause },
  );
