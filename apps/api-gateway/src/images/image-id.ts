import { ServiceError, isStorableText } from '@glimpse/contracts';

const COLUMN_LENGTH = 36;

/** The image's id in a URL: any text. What can't be in the database is not found, without asking it. */
export function imageIdFrom(parameter: string): string {
  if (parameter.length > COLUMN_LENGTH || !isStorableText(parameter))
    throw new ServiceError('IMAGE_NOT_FOUND', `No image found with ID ${parameter}`);
  return parameter;
}
