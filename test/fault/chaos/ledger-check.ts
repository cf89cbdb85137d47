import { type ImageApi, type ImageDocument } from '@glimpse/testing';
import type { Claim, Entry, Ledger } from './ledger.js';
import { sha512 } from './payload.js';

const PAGE = 500;
/** Images that are read back at the same time. */
const READERS = 4;

async function listAll(api: ImageApi): Promise<Set<string>> {
  const ids = new Set<string>();
  for (let marker = ''; ;) {
    const page = await api.list(`limit=${PAGE}&sort=id:asc${marker === '' ? '' : `&marker=${marker}`}`);
    for (const { id } of page) ids.add(id);
    if (page.length < PAGE) return ids;
    marker = page.at(-1)?.id ?? '';
  }
}

/** Compares what the service holds in the end with what it has acknowledged. */
export class LedgerCheck {
  readonly found = { active: 0, queued: 0, staged: 0, gone: 0, bytesRead: 0 };
  private readonly faults: string[] = [];

  constructor(
    private readonly api: ImageApi,
    private readonly ledger: Ledger,
  ) {}

  async run(): Promise<string[]> {
    const listed = await listAll(this.api);
    const waiting = [...this.ledger.entries];
    const read = async () => {
      for (let entry = waiting.pop(); entry !== undefined; entry = waiting.pop())
        await this.check(entry, listed.has(entry.id));
    };
    await Promise.all(Array.from({ length: READERS }, read));
    const known = new Set(this.ledger.entries.map(({ id }) => id));
    for (const id of listed) if (!known.has(id)) this.faults.push(`image ${id} is nobody's`);
    return this.faults;
  }

  private async check(entry: Entry, isListed: boolean): Promise<void> {
    const answer = await this.api.send('GET', `/v2/images/${entry.id}`);
    const isThere = answer.status === 200;
    this.expect(entry, 'exists', entry.exists, isThere);
    if (isThere !== isListed)
      this.fault(entry, `is ${isListed ? '' : 'not '}listed, and answers ${answer.status}`);
    if (!isThere) {
      this.found.gone += 1;
      return;
    }
    const image = JSON.parse(answer.text) as ImageDocument;
    await this.checkData(entry, image);
    this.checkMetadata(entry, image);
    await this.checkMembers(entry);
  }

  private async checkData(entry: Entry, image: ImageDocument): Promise<void> {
    if (image.status !== 'active') {
      const isStaged = image.status === 'uploading';
      if (isStaged ? !entry.isStaged : image.status !== 'queued')
        this.fault(entry, `ended as ${image.status}`);
      if (!isStaged) this.expect(entry, 'data', entry.data, null);
      if (image['os_hash_value'] !== null) this.fault(entry, `has a hash and is ${image.status}`);
      this.found[isStaged ? 'staged' : 'queued'] += 1;
      return;
    }
    this.found.active += 1;
    const { status, body } = await this.api.send('GET', `/v2/images/${entry.id}/file`);
    this.found.bytesRead += body.length;
    if (status !== 200) this.fault(entry, `is active, and its data answers ${status}`);
    const hash = sha512(body);
    this.expect(entry, 'data', entry.data, hash);
    if (image['os_hash_value'] !== hash || image['size'] !== body.length)
      this.fault(entry, 'is described by another hash or size than its data has');
    const stores = new Set(String(image['stores']).split(','));
    for (const [store, claim] of entry.copies)
      this.expect(entry, `copy in ${store}`, claim, stores.has(store));
  }

  private checkMetadata(entry: Entry, image: ImageDocument): void {
    for (const [name, claim] of entry.properties) {
      const value = image[name];
      this.expect(entry, name, claim, typeof value === 'string' ? value : undefined);
    }
    const tags = image['tags'] as string[];
    for (const [name, claim] of entry.tags) this.expect(entry, `tag ${name}`, claim, tags.includes(name));
    if (new Set(tags).size !== tags.length) this.fault(entry, 'has a tag twice');
  }

  private async checkMembers(entry: Entry): Promise<void> {
    if (entry.members.size === 0) return;
    const { text } = await this.api.expect(200, 'GET', `/v2/images/${entry.id}/members`);
    const members = (JSON.parse(text) as { members: { member_id: string }[] }).members.map(
      (one) => one.member_id,
    );
    for (const [name, claim] of entry.members)
      this.expect(entry, `member ${name}`, claim, members.includes(name));
    if (new Set(members).size !== members.length) this.fault(entry, 'has a member twice');
  }

  private expect<T>(entry: Entry, what: string, claim: Claim<T>, value: T): void {
    if (!claim.allows(value))
      this.fault(entry, `${what} is ${String(value)}, and should be ${claim.toString()}`);
  }

  private fault(entry: Entry, text: string): void {
    this.faults.push(`image ${entry.id} ${text}`);
  }
}
