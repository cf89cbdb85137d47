/** What `virsh` answers of the domain whose sockets the environment names; its other commands are not needed. */
import { AgentError } from '../../examples/compute-agent/src/agent-error.js';
import { CommandError } from '../../examples/compute-agent/src/commands.js';
import { GuestAgentSocket, QmpSocket } from '../../examples/compute-agent/src/json-socket.js';

const [command, ...args] = process.argv.slice(2);
const [domain, document] = args.slice(-2);
if (domain !== process.env['STAND_IN_DOMAIN']) throw new AgentError('machine', `no domain ${domain}`);
const { execute, arguments: parameters } = JSON.parse(document!) as { execute: string; arguments?: object };

const open = {
  'qemu-monitor-command': () => QmpSocket.connect(process.env['STAND_IN_QMP']!),
  'qemu-agent-command': () => GuestAgentSocket.connect(process.env['STAND_IN_AGENT']!, 5_000),
}[command!]!;
const socket = await open();
try {
  const answer = await socket.execute(execute, parameters === undefined ? {} : { arguments: parameters });
  process.stdout.write(`${JSON.stringify({ return: answer })}\n`);
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  process.stdout.write(`${JSON.stringify({ error: { class: error.kind, desc: error.description } })}\n`);
} finally {
  socket.close();
}
