/** A refusal that only HTTP knows: services and libraries throw `ServiceError`s and know no status. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    explanation: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(explanation);
    this.name = 'HttpError';
  }
}

export const routeNotFound = () => new HttpError(404, 'The resource could not be found.');
