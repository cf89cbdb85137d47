import {
  type ExpectedHash,
  LocationHashAlgorithm,
  ServiceError,
  isStorableText,
  locationHashLengths,
} from '@glimpse/contracts';
import { z } from 'zod';

const ValidationData = z.strictObject({
  os_hash_algo: LocationHashAlgorithm.optional(),
  os_hash_value: z.string().optional(),
});

/** What `POST …/locations` takes. */
export const NewLocationBody = z.object({
  url: z.string().refine(isStorableText, 'has characters that cannot be stored'),
  validation_data: ValidationData.optional(),
});

/** A location as clients see it. */
export const LocationDocument = z
  .object({ url: z.string(), metadata: z.record(z.string(), z.unknown()) })
  .meta({ id: 'Location' });

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

/** The URL to register, and what its data is said to hash to. Throws REQUEST_INVALID. */
export function parseNewLocation(body: unknown): { url: string; expected: ExpectedHash | null } {
  const parsed = NewLocationBody.safeParse(body);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`${issue?.path.join('.') || 'The body'}: ${issue?.message}`);
  }
  const { url, validation_data: data = {} } = parsed.data;
  return { url, expected: parseExpected(data) };
}

function parseExpected({
  os_hash_algo: algorithm,
  os_hash_value: value,
}: z.output<typeof ValidationData>): ExpectedHash | null {
  if (algorithm === undefined && value === undefined) return null;
  if (algorithm === undefined || value === undefined)
    throw invalid('validation_data: os_hash_algo and os_hash_value go together');
  if (!/^[0-9a-f]*$/i.test(value)) throw invalid('os_hash_value is not a valid hexadecimal value');
  if (value.length !== locationHashLengths[algorithm])
    throw invalid(`os_hash_value is not the correct size for ${algorithm}`);
  return { algorithm, value };
}
