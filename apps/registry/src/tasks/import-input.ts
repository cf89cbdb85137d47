import { ServiceError } from '@glimpse/contracts';
import { z } from 'zod';

const ImportInput = z.object({
  import_from: z.string(),
  import_from_format: z.string(),
  image_properties: z.record(z.string(), z.unknown()),
});

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

/** The URI of an `import` task. Throws REQUEST_INVALID where the input is one that no service would do. */
export function importUriOf(input: Record<string, unknown>): string {
  const parsed = ImportInput.safeParse(input);
  if (!parsed.success)
    throw invalid(`Input does not contain '${parsed.error.issues[0]?.path.join('.')}' field`);
  const uri = parsed.data.import_from.trim();
  if (uri === '') throw invalid('URI cannot be empty.');
  if (uri.toLowerCase().startsWith('file:')) throw invalid('File based imports are not allowed.');
  if (!/^https?:\/\/[^/]/i.test(uri) || !URL.canParse(uri))
    throw invalid('Import of this kind of URI is not supported: use http or https.');
  return uri;
}
