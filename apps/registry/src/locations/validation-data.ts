import { type Image, type NewLocation, ServiceError, locationHashLengths } from '@glimpse/contracts';

const CHECKSUM_LENGTH = 32;

type Known = Pick<Image, 'status' | 'checksum' | 'osHashAlgo' | 'osHashValue'>;

/** What locations say of an image's data and what is not known of it yet. */
export type ValidatedData = Partial<Pick<Image, 'checksum' | 'osHashAlgo' | 'osHashValue'>>;

const attributes = {
  checksum: 'checksum',
  os_hash_algo: 'osHashAlgo',
  os_hash_value: 'osHashValue',
} as const;
type Name = keyof typeof attributes;

const conflict = (message: string) => new ServiceError('VALIDATION_DATA_CONFLICT', message);

/** Characters of a digest that the service computes; undefined for an algorithm that is not among them. */
const lengthsInHex: Readonly<Record<string, number>> = {
  ...locationHashLengths,
  sha384: 96,
  'sha3-256': 64,
  'sha3-512': 128,
  blake2b512: 128,
};

function checkHex(name: Name, value: string, length: number | undefined): void {
  if (!/^(?:[0-9a-f]{2})+$/i.test(value))
    throw conflict(`${name} (${value}) is not a valid hexadecimal value`);
  if (length !== undefined && value.length !== length)
    throw conflict(`${name} (${value}) is not of the right size`);
}

/** The values of all locations together; they must not contradict each other. */
function gather(locations: readonly NewLocation[]): Map<Name, string> {
  const values = new Map<Name, string>();
  for (const { validation_data: data } of locations)
    for (const name of Object.keys(attributes) as Name[]) {
      const value = data?.[name];
      if (value === undefined) continue;
      if ((values.get(name) ?? value) !== value) throw conflict(`Conflicting values for ${name}`);
      values.set(name, value);
    }
  return values;
}

/**
 * What the locations' `validation_data` adds to what is known of the image (spec/api-images.md section 9.1). Throws
 * VALIDATION_DATA_CONFLICT where it contradicts that, or can't be true.
 */
export function checkValidationData(
  image: Known,
  locations: readonly NewLocation[],
  hashingAlgorithm: string,
): ValidatedData {
  const added: ValidatedData = {};
  for (const [name, value] of gather(locations)) {
    const known = image[attributes[name]];
    if (known === value) continue;
    if (known !== null) throw conflict(`${name} is already set with a different value`);
    added[attributes[name]] = value;
  }
  if (Object.keys(added).length === 0) return added;
  if (image.status !== 'queued')
    throw conflict("New validation data may only be provided when the image's status is 'queued'");
  const { checksum, osHashAlgo, osHashValue } = added;
  if (typeof checksum === 'string') checkHex('checksum', checksum, CHECKSUM_LENGTH);
  if (typeof osHashAlgo === 'string' && osHashAlgo !== hashingAlgorithm)
    throw conflict(`os_hash_algo must be ${hashingAlgorithm}, not ${osHashAlgo}`);
  if (typeof osHashValue === 'string') checkHex('os_hash_value', osHashValue, lengthsInHex[hashingAlgorithm]);
  return added;
}
