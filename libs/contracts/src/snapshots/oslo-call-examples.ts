import { snapshotRequestExamples } from './examples.js';

const call = {
  version: '1.0',
  _msg_id: '5d2f0c0e6a574f1e8a430b7f3f1f7d52',
  _reply_q: 'reply_0b7f3f1f7d524f1e8a435d2f0c0e6a57',
  _timeout: 600,
  _unique_id: '7d23d4a390c84f0d8f1c1f5a6f1b2c3d',
  _context_project_id: '7c1f0a52d3f94a0d8f1c1f5a6f1b2c3d',
  _context_user_id: '5a1d2c3b4e5f60718293a4b5c6d7e8f9',
  _context_roles: ['member'],
};

/** Calls of oslo.messaging's RPC, as they are within its envelope; see {@link snapshotRequestExamples}. */
export const osloCallExamples: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'Asks for a snapshot': {
    ...call,
    method: 'create_snapshot',
    args: { request: snapshotRequestExamples['The least'] },
  },
  'Ends a snapshot': { ...call, method: 'cancel_snapshot', args: { request_id: 'req-4f1c8a' } },
  'Asks how a snapshot stands': { ...call, method: 'get_snapshot', args: { request_id: 'req-4f1c8a' } },
};
