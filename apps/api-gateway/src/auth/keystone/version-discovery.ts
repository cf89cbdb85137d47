import { z } from 'zod';
import { identityUnavailable } from './identity-unavailable.js';
import type { KeystoneHttp } from './keystone-http.js';

const Version = z.object({
  id: z.string(),
  status: z.string().optional(),
  links: z.array(z.object({ rel: z.string(), href: z.string() })),
});
const Versions = z.object({ versions: z.object({ values: z.array(Version) }) });

const withoutSlash = (url: string) => url.replace(/\/+$/, '');

/**
 * The address of version 3 of a Keystone whose address is `url`, with or without `/v3`; without a trailing slash. Of
 * what Keystone says about itself only the path is taken: behind a proxy it may not know its own name, and a token
 * goes nowhere but where the operator said.
 */
export async function findVersion3(http: Pick<KeystoneHttp, 'send'>, url: string): Promise<string> {
  const base = withoutSlash(url);
  if (base.endsWith('/v3')) return base;
  const { body } = await http.send('discover', { method: 'GET', url: `${base}/` });
  const known = Versions.safeParse(body).data?.versions.values ?? [];
  const version = known.find(({ id, status }) => /^v3(\.|$)/.test(id) && status !== 'deprecated');
  const href = version?.links.find(({ rel }) => rel === 'self')?.href;
  // One that does not list its versions is one behind a proxy that serves no more than the version itself.
  if (href === undefined) {
    if (known.length > 0) throw identityUnavailable(new Error(`${base} has no identity API v3`));
    return `${base}/v3`;
  }
  const link = URL.parse(href, `${base}/`);
  return link === null ? `${base}/v3` : withoutSlash(new URL(link.pathname, base).href);
}
