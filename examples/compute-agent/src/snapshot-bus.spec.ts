import { once } from 'node:events';
import { type AddressInfo, type Socket, createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type { SnapshotRequest } from './messages.js';
import { SnapshotBus } from './snapshot-bus.js';

const request = { request_id: 'r', instance_id: 'i', name: 'n' } as SnapshotRequest;

describe('A broker that takes connections and says nothing', () => {
  it('keeps nobody who is to end', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const bus = new SnapshotBus(`amqp://127.0.0.1:${port}`, () => undefined);
    const ending = new AbortController();

    const asked = bus.request(request, ending.signal);
    await once(server, 'connection');
    ending.abort(new Error('the guest stands still'));

    await expect(asked).rejects.toThrow('the guest stands still');
    for (const socket of sockets) socket.destroy();
    server.close();
  });
});
