import type { CallWatch } from '@glimpse/bus';
import { type Caller, type ErrorCode, ServiceError, isServiceError } from '@glimpse/contracts';
import { Injectable } from '@nestjs/common';
import { PolicyRefusal } from '../policy/policy-refusal.js';
import { attemptedOperation } from './attempted-operation.js';
import { type Denial, DeniedAttempts } from './denied-attempts.js';

/** What nobody is told who may do what they ask for: refusals beside those of the policy's rules. */
const denials: readonly ErrorCode[] = [
  'ACTION_FORBIDDEN',
  'IMAGE_PROTECTED',
  'IMAGE_DEACTIVATED',
  'PROPERTY_FORBIDDEN',
  'METADEF_PROTECTED',
  'MARKER_FORBIDDEN',
  'LOCATION_IS_LAST',
];

/** The request of any call. */
interface Call {
  readonly ctx?: Caller;
  readonly id?: string;
  readonly namespace?: unknown;
  readonly query?: { readonly marker?: unknown };
}

/** Notes every call that is refused, whatever its answer is, and refuses every change of nobody in particular. */
@Injectable()
export class AuditRefusals implements CallWatch {
  constructor(private readonly denied: DeniedAttempts) {}

  begin(pattern: string, { ctx }: Call): void {
    // Before anything is looked up, as in Glance: whether the image is there is nothing to them (spec/policy.md section 5).
    if (ctx?.isReadOnly === true && attemptedOperation(pattern).action !== 'read')
      throw new ServiceError('ACTION_FORBIDDEN', 'Read-only access');
  }

  failed(pattern: string, call: Call, error: unknown): void {
    if (call.ctx === undefined) return;
    const denial = denialOf(error, pattern, call);
    if (denial !== undefined) this.denied.note(call.ctx, denial);
  }
}

function denialOf(error: unknown, pattern: string, call: Call): Denial | undefined {
  if (error instanceof PolicyRefusal) return error;
  if (!isServiceError(error, ...denials)) return undefined;
  return { code: error.code, operation: attemptedOperation(pattern), targetId: targetOf(call) };
}

function targetOf({ id, namespace, query }: Call): string | undefined {
  return [id, namespace, query?.marker].find((name): name is string => typeof name === 'string');
}
