/** Compared field by field, where a named generic type would be compared by its arguments. */
type Flat<T> = { [K in keyof T]: T[K] };

type Accepts<Method, Input> = Method extends (...args: infer Args) => unknown
  ? Args extends []
    ? unknown
    : [Flat<Input>] extends Args
      ? unknown
      : never
  : never;

/**
 * A decorator for methods that take `Input` (or nothing) and return `Output`, at once or later. The second half is
 * needed since TypeScript compares the parameters of methods in both directions.
 */
export type HandlerDecorator<Input, Output> = <Method extends (input: Input) => Output | Promise<Output>>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Method> & Accepts<Method, Input>,
) => void;
