import { createConnection } from 'mysql2/promise';
import { isOpen } from './ports.js';
import { expectAnswer } from './starting.js';
import type { Ports } from './state.js';

/** The names and the password in the private servers, which only this machine reaches. */
export const account = { user: 'glimpse', password: 'glimpse', vhost: 'glimpse', database: 'glimpse' };

const credentials = `${account.user}:${account.password}`;

export const busUrl = (ports: Ports) => `amqp://${credentials}@127.0.0.1:${ports.amqp}/${account.vhost}`;
/** By TLS; the certificates are in `tlsDir`. */
export const secureBusUrl = (ports: Ports) =>
  `amqps://${credentials}@localhost:${ports.amqps}/${account.vhost}`;
export const databaseUrl = (ports: Ports) =>
  `mysql://${credentials}@127.0.0.1:${ports.mysql}/${account.database}`;
export const managementUrl = (ports: Ports) => `http://${credentials}@127.0.0.1:${ports.management}`;

/** Whether RabbitMQ and its management API answer; throws where it can say why not. */
export async function isManagementUp(ports: Ports): Promise<boolean> {
  const headers = { authorization: `Basic ${btoa(credentials)}` };
  await expectAnswer(`http://127.0.0.1:${ports.management}/api/vhosts`, ({ ok }) => ok, headers);
  return isOpen(ports.amqp);
}

/** Whether the database answers; throws when it does not. */
export async function isDatabaseUp(ports: Ports): Promise<boolean> {
  const connection = await createConnection({ uri: databaseUrl(ports), connectTimeout: 5_000 });
  await connection.query('SELECT 1');
  await connection.end();
  return true;
}
