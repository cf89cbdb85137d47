import { ServiceError } from '@glimpse/contracts';
import { ContentInspector } from './content-inspector.js';
import type { DeclaredFormat, FormatRules } from './verdict/format-rules.js';
import { findRefusal, judge } from './verdict/judge.js';
import type { Verdict } from './verdict/verdict.js';

/** Something that looks at the data of an image on its way. */
export interface DataInspector {
  /** Takes the bytes in order; their memory may change afterwards. Throws `IMAGE_FORMAT_REFUSED`, which ends the transfer. */
  accept(bytes: Buffer): void;
  /** What came of it; call it once, after the last byte. Throws `IMAGE_FORMAT_REFUSED`. */
  finish(): Verdict;
}

const refused = (reason: string) => new ServiceError('IMAGE_FORMAT_REFUSED', reason);

/** Refuses data that is not what it was declared to be, or not safe, as soon as that is certain. */
export class FormatGuard implements DataInspector {
  private readonly inspector = new ContentInspector();
  private settled = 0;

  constructor(
    private readonly declared: DeclaredFormat,
    private readonly rules: FormatRules,
  ) {}

  accept(bytes: Buffer): void {
    this.inspector.accept(bytes);
    const { settled } = this.inspector;
    if (settled === this.settled) return;
    this.settled = settled;
    const soFar = this.inspector.soFar();
    const refusal = soFar === undefined ? null : findRefusal(soFar, this.declared, this.rules);
    if (refusal !== null) throw refused(refusal);
  }

  finish(): Verdict {
    const verdict = judge(this.inspector.finish(), this.declared, this.rules);
    if (verdict.refusal !== null) throw refused(verdict.refusal);
    return verdict;
  }
}

/** Tells what data is, whatever it was declared to be, and refuses nothing. */
export class FormatReporter implements DataInspector {
  private readonly inspector = new ContentInspector();

  constructor(
    private readonly declared: DeclaredFormat,
    private readonly rules: FormatRules,
  ) {}

  accept(bytes: Buffer): void {
    this.inspector.accept(bytes);
  }

  finish(): Verdict {
    return judge(this.inspector.finish(), this.declared, this.rules);
  }
}

/** Whether the rules want a look at data in such a container at all: in none but `bare`, unless they are strict. */
const isLookedAt = ({ containerFormat }: DeclaredFormat, { strict }: FormatRules) =>
  containerFormat === 'bare' || strict;

/** What refuses data that is not of an image's formats; none where data of such a container is not looked at. */
export function createFormatGuard(declared: DeclaredFormat, rules: FormatRules): DataInspector | undefined {
  return isLookedAt(declared, rules) ? new FormatGuard(declared, rules) : undefined;
}

/** What tells the virtual size of data that is there already. */
export function createFormatReporter(
  declared: DeclaredFormat,
  rules: FormatRules,
): DataInspector | undefined {
  return isLookedAt(declared, rules) ? new FormatReporter(declared, rules) : undefined;
}
