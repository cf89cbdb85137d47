import type { EventDefinition, ReceivedEvent } from '@glimpse/contracts';
import { UseFilters } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import type { HandlerDecorator } from './handler-type.js';
import { PassErrorsOn } from './pass-errors-on.filter.js';

/**
 * `service`: one replica gets the event; it survives restarts, is tried again when the handler fails and ends in the
 * dead letters. `instance`: each replica that is connected gets it, once; what it misses while away it never sees.
 */
export type EventDelivery = 'service' | 'instance';

/** The pattern under which NestJS knows a handler, so that one service can have both kinds for one event. */
const eventPattern = (name: string, delivery: EventDelivery): string => `${delivery}:${name}`;

/**
 * Makes a method of a NestJS `@Controller()` handle an event. Deliveries may come twice: be idempotent by the event's
 * id. With `service` delivery the subscription also has its line in `topology.ts`; the start fails where it has not.
 */
export function HandleEvent<D extends EventDefinition>(
  definition: D,
  options: { readonly delivery: EventDelivery },
): HandlerDecorator<ReceivedEvent<D>, void> {
  return (target, key, descriptor) => {
    const { delivery } = options;
    const pattern = eventPattern(definition.name, delivery);
    EventPattern<unknown>(pattern, { definition, delivery })(target, key, descriptor);
    UseFilters(PassErrorsOn)(target, key, descriptor);
  };
}
