import { randomUUID } from 'node:crypto';
import { describeBus } from '../bus.conformance.js';

describeBus('in-process', {
  open: () => Promise.resolve({ url: `memory:${randomUUID()}`, remove: () => Promise.resolve() }),
});
