import type { Random } from './random.js';

export const storeNames = ['one', 'two'] as const;
export type StoreName = (typeof storeNames)[number];

/** How an image gets its data. */
export type Way = 'upload' | 'stage' | 'web' | 'none';

export type Change =
  | { readonly kind: 'property'; readonly name: string; readonly value: string | undefined }
  | { readonly kind: 'tag'; readonly name: string; readonly isThere: boolean }
  | { readonly kind: 'member'; readonly name: string; readonly isThere: boolean }
  | { readonly kind: 'copy'; readonly store: StoreName }
  | { readonly kind: 'remove-copy'; readonly store: StoreName }
  | { readonly kind: 'download' };

/** What one image goes through, drawn beforehand: it does not depend on what is answered, nor when. */
export interface LifePlan {
  readonly id: string;
  readonly way: Way;
  readonly size: number;
  /** How long the client takes to send its data; 0 for all at once. */
  readonly sendingMs: number;
  /** The first attempt at sending the data ends in the middle. */
  readonly breaksOff: boolean;
  /** Where the data goes; an import may go to both. */
  readonly stores: readonly StoreName[];
  /** Waits for the end of the import before anything else is done. */
  readonly isPatient: boolean;
  readonly changes: readonly Change[];
  /** `try-to-delete` does not ask again when there was no answer. */
  readonly end: 'keep' | 'delete' | 'try-to-delete';
}

const SMALL = 200_000;
const LARGE = 6_000_000;

function planChange(random: Random): Change {
  const kind = random.weighted({
    property: 3,
    tag: 2,
    member: 2,
    copy: 4,
    'remove-copy': 2,
    download: 3,
  });
  const store = random.pick(storeNames);
  const isThere = random.chance(0.6);
  // No two changes make the same value: what is found in the end tells which of them it was.
  if (kind === 'property') return { kind, name: 'note', value: isThere ? random.uuid() : undefined };
  if (kind === 'tag' || kind === 'member') return { kind, name: 'first', isThere };
  if (kind === 'download') return { kind };
  return { kind, store };
}

export function planLife(random: Random): LifePlan {
  const way = random.weighted({ upload: 5, stage: 4, web: 3, none: 1 });
  const store = random.pick(storeNames);
  const goesToBoth = way !== 'upload' && random.chance(0.4);
  return {
    id: random.uuid(),
    way,
    size: random.chance(0.3) ? random.between(SMALL, LARGE) : random.between(1, SMALL),
    sendingMs: random.chance(0.5) ? random.between(100, 3_000) : 0,
    breaksOff: random.chance(0.15),
    stores: goesToBoth ? storeNames : [store],
    isPatient: random.chance(0.7),
    changes: Array.from({ length: random.between(0, 6) }, () => planChange(random)),
    end: random.weighted({ keep: 5, delete: 3, 'try-to-delete': 2 }),
  };
}
