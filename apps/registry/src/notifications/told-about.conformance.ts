import type { RegistryUnderTest } from '../registry-harness.conformance.js';

/** The notifications on a subject so far: of each its type and the status that it tells, or its priority where it tells none. */
export async function toldAbout(registry: RegistryUnderTest, subject: string): Promise<string[]> {
  const rows = await registry.rows('notifications', `subject = '${subject}' ORDER BY id`);
  return rows.map(({ event_type: type, priority, payload: text }) => {
    const payload: unknown = JSON.parse(text);
    const hasStatus = typeof payload === 'object' && payload !== null && 'status' in payload;
    return `${type} ${hasStatus ? String(payload.status) : priority}`;
  });
}
