import { ServiceError } from '@glimpse/contracts';
import { z } from 'zod';

const ImportInput = z.object({
  import_from: z.string(),
  import_from_format: z.string(),
  image_properties: z.record(z.string(), z.unknown()),
});

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

/** Refuses the input of an `import` task that no service would do. Throws REQUEST_INVALID. */
export function checkImportInput(input: Record<string, unknown>): void {
  const parsed = ImportInput.safeParse(input);
  if (!parsed.success)
    throw invalid(`Input does not contain '${parsed.error.issues[0]?.path.join('.')}' field`);
  const uri = parsed.data.import_from.trim();
  if (uri === '') throw invalid('URI cannot be empty.');
  if (uri.toLowerCase().startsWith('file:')) throw invalid('File based imports are not allowed.');
  if (!/^https?:\/\/[^/]/i.test(uri) || !URL.canParse(uri))
    throw invalid('Import of this kind of URI is not supported: use http or https.');
}
