/** The schema that was found is none that this release can work with; the message says what to do. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
}
