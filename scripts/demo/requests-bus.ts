import { randomBytes } from 'node:crypto';
import { account, busUrl, managementUrl } from '../services/account.js';
import { findRunning, startServices, stopServices } from '../services/services.js';
import type { Ports } from '../services/state.js';

/** A RabbitMQ by which compute and Glimpse talk, and nobody else. */
export interface RequestsBus {
  readonly url: string;
  end(): Promise<void>;
}

async function manage(ports: Ports, method: string, path: string, body: object): Promise<void> {
  const { origin } = new URL(managementUrl(ports));
  const { ok, status } = await fetch(`${origin}/api/${path}`, {
    method,
    headers: {
      authorization: `Basic ${btoa(`${account.user}:${account.password}`)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
  });
  if (!ok) throw new Error(`RabbitMQ: ${method} ${path} was answered with ${status}`);
}

/** A virtual host in the private RabbitMQ, which is started for it where it does not run. */
export async function startRequestsBus(): Promise<RequestsBus> {
  const wasRunning = findRunning() !== undefined;
  const { ports } = await startServices();
  const name = `demo-${randomBytes(4).toString('hex')}`;
  const end = async () => {
    await manage(ports, 'DELETE', `vhosts/${name}`, {}).catch((error: Error) => console.error(error.message));
    if (!wasRunning) await stopServices();
  };
  try {
    await manage(ports, 'PUT', `vhosts/${name}`, {});
    const all = { configure: '.*', write: '.*', read: '.*' };
    await manage(ports, 'PUT', `permissions/${name}/${account.user}`, all);
  } catch (error) {
    await end();
    throw error;
  }
  const url = new URL(busUrl(ports));
  url.pathname = `/${name}`;
  return { url: url.href, end };
}
