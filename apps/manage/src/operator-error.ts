/** What an operator did, or asked for, can't be done; the message is one line that says why. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
}
