import type { Outcome } from './client.js';
import { isActive } from './give-data.js';
import { type Claim, claimOf } from './ledger.js';
import { JSON_PATCH, type Life } from './life.js';
import type { Change } from './life-plan.js';
import { sha512 } from './payload.js';

type Kind = Change['kind'];
type Of<K extends Kind> = Extract<Change, { readonly kind: K }>;

/** One request that makes a value of the image another one. */
async function changeTo<T>(claim: Claim<T>, value: T, request: () => Promise<Outcome>): Promise<void> {
  const outcome = await request();
  if (outcome.kind === 'unknown') claim.maybe(value);
  else if (outcome.answer.status < 300) claim.is(value);
}

const handlers: { readonly [K in Kind]: (life: Life, change: Of<K>) => Promise<void> } = {
  property: async (life, { name, value }) => {
    const image = await life.look();
    if (image === null || (value === undefined && image[name] === undefined)) return;
    const operation = { op: value === undefined ? 'remove' : 'add', path: `/${name}`, value };
    // A change whose answer was lost may have taken the property away meanwhile.
    const expected = value === undefined ? [200, 409] : [200];
    const claim = claimOf<string | undefined>(life.entry.properties, name, undefined);
    await changeTo(claim, value, () =>
      life.client.sendJson('patch', expected, 'PATCH', life.path, [operation], JSON_PATCH),
    );
  },
  tag: async (life, { name, isThere }) => {
    await changeTo(claimOf(life.entry.tags, name, false), isThere, () =>
      isThere
        ? life.client.send('tag', [204], 'PUT', `${life.path}/tags/${name}`)
        : life.client.send('untag', [204, 404], 'DELETE', `${life.path}/tags/${name}`),
    );
  },
  member: async (life, { name, isThere }) => {
    await changeTo(claimOf(life.entry.members, name, false), isThere, () =>
      isThere
        ? life.client.sendJson('add member', [200, 409], 'POST', `${life.path}/members`, { member: name })
        : life.client.send('remove member', [204, 404], 'DELETE', `${life.path}/members/${name}`),
    );
  },
  copy: async (life, { store }) => {
    if (life.plan.way === 'none' || !(await isActive(life))) return;
    const claim = claimOf(life.entry.copies, store, false);
    // 400: it is there already.
    const expected = claim.allows(true) ? [202, 400, 409] : [202, 409];
    await changeTo(claim, true, () =>
      life.client.sendJson('copy', expected, 'POST', `${life.path}/import`, {
        method: { name: 'copy-image' },
        stores: [store],
      }),
    );
  },
  'remove-copy': async (life, { store }) => {
    if (life.plan.way === 'none' || !(await isActive(life))) return;
    // 403: it is the only copy, 404: there is none, 409: it is being copied.
    await changeTo(claimOf(life.entry.copies, store, false), false, () =>
      life.client.send('remove copy', [204, 403, 404, 409], 'DELETE', `/v2/stores/${store}/${life.plan.id}`),
    );
  },
  download: async (life) => {
    // Of an image that is being imported there is nothing to be had yet.
    const expected = life.wasActive ? [200] : [200, 204, 403];
    const outcome = await life.client.send('download', expected, 'GET', `${life.path}/file`);
    if (outcome.kind === 'unknown') return;
    const { status, body } = outcome.answer;
    if (status === 200 && !life.entry.data.allows(sha512(body)))
      life.violation(`gave ${body.length} bytes that nobody had given it`);
  },
};

export async function makeChange(life: Life, change: Change): Promise<void> {
  const handler = handlers[change.kind] as (life: Life, change: Change) => Promise<void>;
  await handler(life, change);
}
