import { NbdError } from '../nbd-error.js';

/** Error numbers of the protocol, which are those of Linux. */
const ERRORS: ReadonlyMap<number, { name: string; isFinal: boolean }> = new Map([
  [1, { name: 'EPERM', isFinal: true }],
  [5, { name: 'EIO', isFinal: false }],
  [12, { name: 'ENOMEM', isFinal: false }],
  [22, { name: 'EINVAL', isFinal: true }],
  [28, { name: 'ENOSPC', isFinal: false }],
  [75, { name: 'EOVERFLOW', isFinal: true }],
  [95, { name: 'ENOTSUP', isFinal: true }],
  [108, { name: 'ESHUTDOWN', isFinal: false }],
]);

/** The error for a request that the server did not fulfil. */
export function serverError(errno: number, text: string): NbdError {
  const known = ERRORS.get(errno);
  const name = known?.name ?? `error ${errno}`;
  const message = `The NBD server refused a request: ${name}${text === '' ? '' : ` ("${text}")`}`;
  return new NbdError(known?.isFinal === true ? 'NBD_REFUSED' : 'NBD_SERVER_FAILED', message);
}
