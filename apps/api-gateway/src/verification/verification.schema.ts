import { type CheckedCopy, copyStates } from '@glimpse/contracts';
import { z } from 'zod';

const described = <S extends z.ZodType>(schema: S, description: string) => schema.meta({ description });
const time = (description: string) => described(z.iso.datetime().nullable(), description);

const CopyDocument = z.object({
  store: described(z.string().nullable(), 'The store; null where the service has one store only.'),
  state: described(
    z.enum(copyStates),
    'What the last look came to. `unhashed`: it is there, and no hash is known to compare it with; `unreachable`: the store did not give it, which says nothing about the data.',
  ),
  in_service: described(z.boolean(), 'Whether it is read from; what is damaged or missing is not.'),
  reason: described(z.string().nullable(), 'More about what was found.'),
  intact_at: time('When it was last found to be what was stored.'),
  checked_at: time('When it was last looked at, whatever came of it.'),
  due_at: time('When it is looked at next, by the schedule.'),
  queued: described(z.boolean(), 'Whether it is about to be looked at, or repaired.'),
});

/** The copies of an image's data, as clients see them. */
export const VerificationDocument = z.object({ copies: z.array(CopyDocument) }).meta({ id: 'Verification' });

export const toVerificationView = (
  copies: readonly CheckedCopy[],
): z.output<typeof VerificationDocument> => ({
  copies: copies.map((copy) => ({
    store: copy.storeId,
    state: copy.state,
    in_service: copy.isInService,
    reason: copy.reason,
    intact_at: copy.intactAt,
    checked_at: copy.checkedAt,
    due_at: copy.dueAt,
    queued: copy.isQueued,
  })),
});
