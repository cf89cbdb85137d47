import type { Commands } from './commands.js';
import { GuestAgentSocket, QmpSocket } from './json-socket.js';
import type { MachineAddress } from './options.js';
import { VirshGuestAgent, VirshMonitor } from './virsh.js';

const AGENT_TIMEOUT_MS = 5_000;

/** The monitor of the machine. Whoever opens it closes it. */
export const openMonitor = (address: MachineAddress): Promise<Commands> =>
  'qmp' in address ? QmpSocket.connect(address.qmp) : Promise.resolve(new VirshMonitor(address.domain));

/** The agent in the guest. Rejects where none is named, or none answers. */
export function openGuestAgent(address: MachineAddress): Promise<Commands> {
  if ('domain' in address) return VirshGuestAgent.connect(address.domain, AGENT_TIMEOUT_MS);
  if (address.guestAgent === undefined) return Promise.reject(new Error('no --guest-agent is named'));
  return GuestAgentSocket.connect(address.guestAgent, AGENT_TIMEOUT_MS);
}
