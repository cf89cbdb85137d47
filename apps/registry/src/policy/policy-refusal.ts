import { type ErrorCode, ServiceError } from '@glimpse/contracts';
import type { RuleName } from '@glimpse/policy';

/** A rule says no: the answer, and what the audit trail is told, which may be more. */
export class PolicyRefusal extends ServiceError {
  constructor(
    code: ErrorCode,
    message: string,
    readonly rule: RuleName,
    /** What the caller wanted to work on; undefined where it has no id. */
    readonly targetId: string | undefined,
  ) {
    super(code, message);
  }
}
