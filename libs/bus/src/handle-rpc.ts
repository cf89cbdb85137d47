import type { RequestOf, ResponseOf, RpcDefinition } from '@glimpse/contracts';
import { UseFilters } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { HandlerDecorator } from './handler-type.js';
import { PassErrorsOn } from './pass-errors-on.filter.js';

/**
 * Makes a method of a NestJS `@Controller()` answer the calls of `definition`. The method gets the request, checked
 * against the definition's schema, and nothing else. It runs at most once a call, in the caller's context (request
 * and trace id). A `ServiceError` reaches the caller with its code; anything else is logged here and is `INTERNAL` there.
 */
export function HandleRpc<D extends RpcDefinition>(
  definition: D,
): HandlerDecorator<RequestOf<D>, ResponseOf<D>> {
  return (target, key, descriptor) => {
    MessagePattern(definition.pattern, { definition })(target, key, descriptor);
    UseFilters(PassErrorsOn)(target, key, descriptor);
  };
}
