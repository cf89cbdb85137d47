import { type ImportStep, ServiceError } from '@glimpse/contracts';
import { type DataInspector, type FormatRules, type Verdict, createFormatGuard } from '@glimpse/inspector';

/** As the inspection of an upload, but that raw is no excuse: what is declared raw must not be anything else. */
class ExactGuard implements DataInspector {
  constructor(
    private readonly guard: DataInspector,
    private readonly diskFormat: string,
  ) {}

  accept(bytes: Buffer): void {
    this.guard.accept(bytes);
  }

  finish(): Verdict {
    const verdict = this.guard.finish();
    const { format } = verdict;
    const isPartitioned = this.diskFormat === 'raw' && format === 'gpt';
    if (format !== this.diskFormat && !isPartitioned)
      throw new ServiceError(
        'IMAGE_FORMAT_REFUSED',
        `Image disk_format ${this.diskFormat} does not match stream data ${format ?? 'of several formats'}`,
      );
    return verdict;
  }
}

/** What must hold of a disk before a tool may see it, whatever the configuration tolerates in images that are only stored. */
export function exactGuard(diskFormat: string, rules: FormatRules): DataInspector {
  const guard = createFormatGuard({ diskFormat, containerFormat: 'bare' }, { ...rules, requireMatch: true });
  if (guard === undefined) throw new Error('Data in a bare container is always looked at');
  return new ExactGuard(guard, diskFormat);
}

/**
 * The inspection of data on its way into the stores. Where images are converted, one that is of the wanted format already
 * must be it as well: a qcow2 that calls itself raw is none.
 */
export function preparedDataGuard(
  declared: { readonly diskFormat: string; readonly containerFormat: string },
  steps: readonly ImportStep[],
  rules: FormatRules,
): DataInspector | undefined {
  const target = steps.find(({ name }) => name === 'convert');
  const isTarget = target?.name === 'convert' && target.diskFormat === declared.diskFormat;
  return isTarget && declared.containerFormat === 'bare'
    ? exactGuard(declared.diskFormat, rules)
    : createFormatGuard(declared, rules);
}
