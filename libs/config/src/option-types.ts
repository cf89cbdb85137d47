import { z } from 'zod';

// Options come from YAML (typed) and from the environment (text); each of these takes both.

const asNumber = (value: unknown) =>
  typeof value === 'string' && /^-?\d+$/.test(value.trim()) ? Number(value) : value;

/** A whole number within bounds. */
export const wholeNumber = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  z.preprocess(asNumber, z.int().min(min).max(max));

/** A TCP port; 0 lets the system choose. */
export const port = () => wholeNumber(0, 65_535);

/** `true` or `false`. */
export const flag = () =>
  z.preprocess((value) => (value === 'true' ? true : value === 'false' ? false : value), z.boolean());

/** A list of words; in the environment separated by commas. */
export const words = () =>
  z.preprocess(
    (value) =>
      typeof value === 'string'
        ? value
            .split(',')
            .map((word) => word.trim())
            .filter((word) => word !== '')
        : value,
    z.array(z.string().min(1)),
  );

const asNumbers = (value: unknown) =>
  typeof value === 'string' ? value.split(',').filter((part) => part.trim() !== '') : value;

/** A list of whole numbers within bounds; in the environment separated by commas. */
export const wholeNumbers = (min: number, max: number) =>
  z.preprocess(asNumbers, z.array(wholeNumber(min, max)));

/** Whether the URL leads to a RabbitMQ. */
export const isAmqpUrl = (url: string): boolean => /^amqps?:\/\//.test(url) && URL.canParse(url);

/** The URL of a RabbitMQ. */
export const amqpUrl = () => z.string().refine(isAmqpUrl, 'must be amqp://user:password@host:port/vhost');

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

const asByteCount = (value: unknown) => {
  if (typeof value !== 'string') return value;
  const [, amount, unit] = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(value) ?? [];
  const power = UNITS.indexOf(unit === '' ? 'B' : (unit ?? '').toUpperCase());
  return power === -1 ? value : Math.floor(Number(amount) * 1024 ** power);
};

/** A number of bytes, or a text with a unit: B, KB, MB, GB or TB, in powers of 1024. */
export const byteSize = () =>
  z.preprocess(
    asByteCount,
    z.int({ error: 'must be a number of bytes, or one with a unit: B, KB, MB, GB or TB' }).min(0),
  );
