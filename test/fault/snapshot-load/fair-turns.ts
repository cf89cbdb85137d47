import type { SnapshotEvent } from './snapshot-events.js';

/** How a project came off among others. */
export interface ProjectTurn {
  readonly projectId: string;
  readonly snapshots: number;
  /** Snapshots of others that ended after its last one was accepted, and before the last of them ended. */
  readonly waitedFor: number;
  /** So many at most where projects take turns. */
  readonly bound: number;
}

/**
 * How long each project but the largest had to wait for others. While a project has one snapshot started, each of the others has
 * one; what was running when it came may end before, and so may what several registries start in the same turn.
 */
export function projectTurns(events: readonly SnapshotEvent[], atOnce: number): ProjectTurn[] {
  const sizes = new Map<string, number>();
  for (const { name, projectId } of events)
    if (name === 'accepted') sizes.set(projectId, (sizes.get(projectId) ?? 0) + 1);
  const largest = Math.max(...sizes.values());
  const others = [...sizes].filter(([, snapshots]) => snapshots < largest);
  return others.map(([projectId, snapshots]) => {
    const isItsOwn = (event: SnapshotEvent) => event.projectId === projectId;
    const from = events.findLastIndex((event) => isItsOwn(event) && event.name === 'accepted');
    const to = events.findLastIndex((event) => isItsOwn(event) && event.name !== 'accepted');
    const between = events.slice(from, to).filter((event) => event.name !== 'accepted' && !isItsOwn(event));
    const turns = [...sizes.values()].reduce((sum, size) => sum + Math.min(size, snapshots), 0) - snapshots;
    return { projectId, snapshots, waitedFor: between.length, bound: turns + 3 * atOnce };
  });
}

/** Those who waited for longer than that. */
export const findUnfair = (turns: readonly ProjectTurn[]): string[] =>
  turns
    .filter(({ waitedFor, bound }) => waitedFor > bound)
    .map(
      ({ projectId, snapshots, waitedFor, bound }) =>
        `unfair: ${projectId} with ${snapshots} waited for ${waitedFor} of others, and not for ${bound}`,
    );
