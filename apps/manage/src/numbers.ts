import { InvalidArgumentError } from 'commander';

/** Reads a whole number of at least `min` from the command line. */
export const wholeNumber =
  (min: number) =>
  (text: string): number => {
    if (/^-?\d{1,15}$/.test(text) && Number(text) >= min) return Number(text);
    throw new InvalidArgumentError(`must be a whole number of at least ${min}.`);
  };
