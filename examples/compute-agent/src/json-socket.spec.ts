import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type Server, type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { GuestAgentSocket } from './json-socket.js';

interface Command {
  readonly execute: string;
  readonly arguments?: { readonly id?: number };
}

/** What is in the guest is the guest's: it may say anything. */
describe('The agent in a hostile guest', () => {
  let folder: string;
  let server: Server;
  let say: (socket: Socket, command: Command) => void;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'glimpse-guest-'));
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      const lines = createInterface({ input: socket });
      lines.on('error', () => undefined);
      lines.on('line', (line) => {
        const command = JSON.parse(line.replace(/^\ufffd/, '')) as Command;
        const id = command.arguments?.id;
        if (id === undefined) say(socket, command);
        else socket.write(Buffer.concat([Buffer.from([0xff]), Buffer.from(`{"return":${id}}\n`)]));
      });
    });
    server.listen(join(folder, 'agent.sock'));
    await once(server, 'listening');
  });
  afterEach(async () => {
    server.close();
    await rm(folder, { recursive: true, force: true });
  });
  const open = () => GuestAgentSocket.connect(join(folder, 'agent.sock'), 5_000);

  it.each([['no JSON'], ['null'], ['7'], ['{"return":'], ['']])(
    'is heard although it says %j before its answer',
    async (nonsense) => {
      say = (socket) => socket.write(`${nonsense}\n{"return":"thawed"}\n`);
      const agent = await open();

      const answer = agent.execute('guest-fsfreeze-status', { timeoutMs: 5_000 });

      expect(await answer).toBe('thawed');
      agent.close();
    },
  );

  it('is given up when its line has no end', async () => {
    const chunk = 'x'.repeat(1024 * 1024);
    say = (socket) => {
      const more = () => {
        while (!socket.destroyed && socket.write(chunk));
      };
      socket.on('drain', more);
      more();
    };
    const agent = await open();

    const answer = agent.execute('guest-fsfreeze-status', { timeoutMs: 60_000 });

    await expect(answer).rejects.toThrow('a line without an end');
  });
});
