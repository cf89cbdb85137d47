import { ServiceError } from '@glimpse/contracts';
import type { Location } from '../../location.js';
import type { S3Options } from './s3.options.js';

type Place = Pick<S3Options, 'endpoint' | 'bucket'>;

/** What was set aside lies below this: no image's id begins so. */
export const QUARANTINE_PREFIX = '.quarantine/';

/** What may be the key of an image. */
const SAFE_KEY = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,254}$/;

/** Whether the key is one that an image's data may have. */
export const isImageKey = (key: string): boolean => SAFE_KEY.test(key);

/** `text`, where it may be the key of an image. Throws `STORE_LOCATION_INVALID`. */
export function toKey(text: string): string {
  if (isImageKey(text)) return text;
  throw new ServiceError('STORE_LOCATION_INVALID', 'This id cannot be the key of an object');
}

/** Host, path of the endpoint and bucket, as they are written in locations. */
const placeOf = ({ endpoint, bucket }: Place): string =>
  `${endpoint.host}${endpoint.pathname.replace(/\/+$/, '')}/${bucket}/`;

/** Glance's form of a location, without credentials: `s3+https://host/bucket/key`, or `s3://…` where it is http. */
export const locationOf = (place: Place, key: string): string =>
  `${place.endpoint.protocol === 'https:' ? 's3+https' : 's3'}://${placeOf(place)}${key}`;

/**
 * The key that a location of this store names; undefined for any other location. Takes Glance's older form with
 * credentials (whose secret may hold slashes) too; they are not looked at, the store has its own. Whether the
 * location says http or https makes no difference.
 */
export function keyOfLocation(place: Place, uri: string): string | undefined {
  const rest = /^s3(?:\+https?)?:\/\/(?<rest>[^]+)$/.exec(uri)?.groups?.['rest'];
  if (rest === undefined || rest.includes('://')) return undefined;
  const here = placeOf(place);
  const isHere = (text: string) => text.slice(0, here.length).toLowerCase() === here.toLowerCase();
  const start = isHere(rest) ? 0 : afterCredentials(rest, here);
  if (start === undefined) return undefined;
  // Buckets are told apart by case, hosts are not.
  const found = rest.slice(start, start + here.length);
  const key = rest.slice(start + here.length);
  return isHere(found) && found.endsWith(`/${place.bucket}/`) && key !== '' ? key : undefined;
}

/** The key that a location of this store names. Throws `STORE_LOCATION_INVALID` for any other location. */
export function getKeyOfLocation(place: Place, { uri }: Location): string {
  const key = keyOfLocation(place, uri);
  if (key !== undefined) return key;
  throw new ServiceError('STORE_LOCATION_INVALID', 'The location is not in this store');
}

/** Where the rest begins behind `access:secret@`; undefined where there are no credentials before `here`. */
function afterCredentials(rest: string, here: string): number | undefined {
  const at = rest.toLowerCase().indexOf(`@${here.toLowerCase()}`);
  return at > 0 && rest.slice(0, at).includes(':') ? at + 1 : undefined;
}
