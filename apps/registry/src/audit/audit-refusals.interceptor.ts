import { rpcPatternOf } from '@glimpse/bus';
import { type Caller, type ErrorCode, ServiceError, isServiceError } from '@glimpse/contracts';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { type Observable, defer, tap } from 'rxjs';
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
export class AuditRefusals implements NestInterceptor {
  constructor(private readonly denied: DeniedAttempts) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const call = context.switchToRpc().getData<Call>();
    const { ctx } = call;
    if (ctx === undefined) return next.handle();
    const pattern = rpcPatternOf(context.getHandler());
    const answer = defer(() => {
      // Before anything is looked up, as in Glance: whether the image is there is nothing to them (spec/policy.md section 5).
      if (ctx.isReadOnly === true && attemptedOperation(pattern).action !== 'read')
        throw new ServiceError('ACTION_FORBIDDEN', 'Read-only access');
      return next.handle();
    });
    return answer.pipe(
      tap({
        error: (error: unknown) => {
          const denial = denialOf(error, pattern, call);
          if (denial !== undefined) this.denied.note(ctx, denial);
        },
      }),
    );
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
