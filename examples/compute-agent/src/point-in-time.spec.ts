import { describe, expect, it } from '@jest/globals';
import { CommandError, type Commands } from './commands.js';
import { exportByNbd } from './point-in-time.js';

/** A monitor that refuses one command. */
class StandInMonitor implements Commands {
  readonly commands: string[] = [];

  constructor(private readonly refused: string) {}

  execute<T>(command: string): Promise<T> {
    this.commands.push(command);
    return command === this.refused
      ? Promise.reject(new CommandError(command, 'GenericError', 'no'))
      : Promise.resolve({} as T);
  }

  close(): void {
    // Nothing is open.
  }
}

describe('exportByNbd', () => {
  it('leaves no server behind when the disk can not be exported', async () => {
    const monitor = new StandInMonitor('block-export-add');
    const disk = { node: 'disk', sizeBytes: 1, keepsBitmaps: false };
    const point = { tag: 'gs-00000000-00000000', disk, bitmap: undefined };

    const exported = exportByNbd(monitor, point, { type: 'unix', path: '/run/nbd.sock' }, {});

    await expect(exported).rejects.toThrow('block-export-add');
    expect(monitor.commands).toEqual(['nbd-server-start', 'block-export-add', 'nbd-server-stop']);
  });
});
