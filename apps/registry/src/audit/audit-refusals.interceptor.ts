import { Caller } from '@glimpse/contracts';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { type Observable, tap } from 'rxjs';
import { PolicyRefusal } from '../policy/policy-refusal.js';
import { DeniedAttempts } from './denied-attempts.js';

/** Notes every call that the policy refuses, whatever its answer is. */
@Injectable()
export class AuditRefusals implements NestInterceptor {
  constructor(private readonly denied: DeniedAttempts) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      tap({
        error: (error: unknown) => {
          if (!(error instanceof PolicyRefusal)) return;
          const { ctx } = context.switchToRpc().getData<{ ctx: Caller }>();
          this.denied.note(ctx, error);
        },
      }),
    );
  }
}
