import { type ConversionRequest, MAX_TEXT_LENGTH, ServiceError, isStorableText } from '@glimpse/contracts';
import { z } from 'zod';

const text = () => z.string().refine(isStorableText, 'has characters that cannot be stored');

/** What `POST …/actions/convert` takes. */
export const ConversionBody = z.strictObject({
  disk_format: z.enum(['raw', 'qcow2', 'vmdk']).meta({ description: 'The format of the new image.' }),
  name: text().max(MAX_TEXT_LENGTH).optional().meta({ description: 'Its name; the same by default.' }),
  stores: z.array(text()).optional().meta({ description: 'The stores that it goes to.' }),
});

/** Throws REQUEST_INVALID. */
export function parseConversionRequest(body: unknown): ConversionRequest {
  const parsed = ConversionBody.safeParse(body);
  if (parsed.success) {
    const { disk_format: diskFormat, name = null, stores = null } = parsed.data;
    return { diskFormat, name, stores };
  }
  const [issue] = parsed.error.issues;
  throw new ServiceError('REQUEST_INVALID', `${issue?.path.join('.') || 'The body'}: ${issue?.message}`);
}
