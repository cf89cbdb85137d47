/** The policy can't be used; each line of the message is one problem with its file and line. */
export class PolicyError extends Error {
  override readonly name = 'PolicyError';

  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
  }
}
