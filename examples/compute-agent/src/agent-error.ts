/** What the process ends with; the README says what each means to a caller. */
export const exitCodes = {
  completed: 0,
  refused: 1,
  usage: 2,
  machine: 3,
  timeout: 4,
  interrupted: 5,
} as const;
export type Outcome = keyof typeof exitCodes;

/** Why there is no image, in words for an operator. */
export class AgentError extends Error {
  constructor(
    readonly outcome: Exclude<Outcome, 'completed'>,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'AgentError';
  }
}

/** The text of whatever was thrown. */
export const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));
