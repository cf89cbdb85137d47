import { loadConfig } from '@glimpse/config';
import { createLogger } from '@glimpse/observability';
import { StandInKeystone, aTokenDocument } from '@glimpse/testing';
import { KeystoneAuthenticator } from '../../apps/api-gateway/src/auth/keystone/keystone.authenticator.js';
import { type Row, median, round } from './report.js';
import { type Target, createImage, startTarget } from './service.js';
import { runLoad } from './load.js';

const IN_FLIGHT = 16;
const TOKENS = 1_000;
const CALLS = 200_000;

/** As long as Keystone's own, each another one. */
const tokenOf = (n: number) => `gAAAAAB${String(n).padStart(8, '0')}${'x'.repeat(168)}`;

async function startKeystone(): Promise<StandInKeystone> {
  const keystone = await new StandInKeystone().start();
  const project = { id: 'glimpse', name: 'glimpse', domain: { id: 'default', name: 'Default' } };
  for (let n = 0; n < TOKENS; n++)
    keystone.tokens.set(tokenOf(n), aTokenDocument(['member', 'reader'], { project }));
  return keystone;
}

const loginAt = (keystone: StandInKeystone) => ({
  GLIMPSE_AUTH: 'keystone',
  GLIMPSE_KEYSTONE_AUTH_URL: `${keystone.url}/v3`,
  GLIMPSE_KEYSTONE_USERNAME: 'glimpse',
  GLIMPSE_KEYSTONE_PASSWORD: 'glimpse',
  GLIMPSE_KEYSTONE_PROJECT_NAME: 'service',
});

/** Microseconds that the authenticator takes for a token that it knows, among a thousand. */
async function measureAuthenticator(keystone: StandInKeystone, rounds: number): Promise<number> {
  const authenticator = KeystoneAuthenticator.create(
    loadConfig(loginAt(keystone)),
    createLogger('bench', { level: 'silent' }),
  );
  const request = { method: 'GET', url: '/v2/images', originalUrl: '/v2/images' };
  const headers = Array.from({ length: TOKENS }, (_, n) => ({ 'x-auth-token': tokenOf(n) }));
  const call = (n: number) => authenticator.authenticate(headers[n % TOKENS]!, request);
  for (let n = 0; n < TOKENS; n++) await call(n);
  const figures: number[] = [];
  for (let k = 0; k < rounds; k++) {
    const start = performance.now();
    for (let n = 0; n < CALLS; n++) await call(n);
    figures.push((1000 * (performance.now() - start)) / CALLS);
  }
  await authenticator.close();
  return median(figures);
}

/** Says who is calling in both ways: by a token, and as a proxy would that has checked it. */
const headersOf = (n: number) => ({
  'x-auth-token': tokenOf(n % TOKENS),
  'x-identity-status': 'Confirmed',
  'x-user-id': 'u',
  'x-project-id': 'glimpse',
  'x-roles': 'member,reader',
});

function getAs(path: string, n: number): string {
  const lines = Object.entries(headersOf(n)).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\nHost: bench\r\nAccept: */*\r\n${lines.join('')}\r\n`;
}

interface Measured {
  readonly rates: number[];
  /** CPU milliseconds a request. */
  readonly cpu: number[];
}

async function measureGets(target: Target, id: string, seconds: number, into: Measured): Promise<void> {
  const { result, cpu } = await target.measure(() =>
    runLoad(target.url, {
      inFlight: IN_FLIGHT,
      seconds,
      status: 200,
      makeRequest: (n) => getAs(`/v2/images/${id}`, n),
    }),
  );
  into.rates.push(result.requestsPerSecond);
  into.cpu.push((1000 * cpu) / (result.requestsPerSecond * seconds));
}

/**
 * The cost of knowing who is calling from a warm cache: the same GETs by the same callers with auth `headers`, which has nothing to check, and with `keystone`, in turns,
 * and the authenticator alone, whose share of a GET is the figure that noise does not hide. Keystone is a stand-in:
 * with a warm cache nothing is asked of it.
 */
export async function benchAuth(
  mode: 'embedded' | 'distributed',
  options: { seconds: number; rounds: number },
): Promise<Row[]> {
  const keystone = await startKeystone();
  const trusting = await startTarget(mode, { GLIMPSE_AUTH: 'headers' });
  const checked = await startTarget(mode, loginAt(keystone));
  try {
    const [trustedId, checkedId] = await Promise.all(
      [trusting, checked].map(({ url }) => createImage(url, {}, headersOf(0))),
    );
    const without: Measured = { rates: [], cpu: [] };
    const withTokens: Measured = { rates: [], cpu: [] };
    // Once without counting it, for the cache and the compiler.
    for (let n = 0; n <= options.rounds; n++) {
      if (n === 1)
        for (const list of [without.rates, without.cpu, withTokens.rates, withTokens.cpu]) list.length = 0;
      await measureGets(trusting, trustedId!, options.seconds, without);
      await measureGets(checked, checkedId!, options.seconds, withTokens);
    }
    const alone = await measureAuthenticator(keystone, options.rounds);
    const perGet = 1000 * median(without.cpu);
    const row = (what: string, { rates, cpu }: Measured): Row => ({
      what: `GET an image, ${IN_FLIGHT} in flight, ${what}`,
      figure: `${round(median(rates))}/s`,
      note: `${round(median(cpu), 3)} ms CPU`,
    });
    return [
      row('auth headers', without),
      {
        ...row('auth keystone', withTokens),
        ratio: `${round((100 * median(withTokens.rates)) / median(without.rates))} %`,
      },
      {
        what: `checking a token that is known, ${TOKENS} tokens`,
        figure: `${round(alone, 2)} µs`,
        ratio: `${round((100 * alone) / perGet, 1)} %`,
        aim: '< 5 %',
        note: 'of the CPU time of a GET',
      },
    ];
  } finally {
    await trusting.stop();
    await checked.stop();
    await keystone.stop();
  }
}
