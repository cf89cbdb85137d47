export const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

// A terminal sends Ctrl-C to the whole group and npm hands it on, so that one key press arrives twice.
const SAME_KEY_PRESS_MS = 500;

/**
 * Resolves with the name of the first of `signals`. A second one ends the process at once, for those who don't
 * want to wait.
 */
export function stopSignal(
  exit: () => void,
  signals: readonly NodeJS.Signals[] = STOP_SIGNALS,
  source: NodeJS.EventEmitter = process,
  now: () => number = Date.now,
): Promise<string> {
  return new Promise((resolve) => {
    let firstAt: number | undefined;
    for (const signal of signals)
      source.on(signal, () => {
        if (firstAt === undefined) {
          firstAt = now();
          resolve(signal);
        } else if (now() - firstAt > SAME_KEY_PRESS_MS) exit();
      });
  });
}
