import { getRequest, postRequest, runLoad } from './load.js';
import { type Row, median, percent, round } from './report.js';
import { type Target, createImage } from './service.js';

const IMAGES = 20_000;
const IN_FLIGHT = 16;

const newImage = (n: number) => ({
  name: `image-${n % 1000}`,
  disk_format: 'raw',
  container_format: 'bare',
  visibility: n % 4 === 0 ? 'public' : 'private',
  tags: ['bench'],
  os_distro: n % 2 === 0 ? 'debian' : 'fedora',
  hw_disk_bus: 'virtio',
});

interface Case {
  readonly what: string;
  readonly aim?: string;
  readonly inFlight: number;
  readonly status: number;
  readonly makeRequest: (n: number) => string;
}

async function seed(target: Target, count: number): Promise<void> {
  let left = count;
  const work = async () => {
    while (left-- > 0) await createImage(target.url, newImage(left));
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
}

function casesFor(ids: readonly string[]): Case[] {
  const get = (n: number) => getRequest(`/v2/images/${ids[n % ids.length]!}`);
  const page = (query: string) => () => getRequest(`/v2/images?${query}`);
  return [
    { what: 'GET an image', inFlight: 1, status: 200, makeRequest: get },
    { what: 'GET an image', inFlight: 16, status: 200, makeRequest: get, aim: '50 %' },
    { what: 'GET an image', inFlight: 64, status: 200, makeRequest: get },
    { what: 'page of 25', inFlight: 16, status: 200, makeRequest: page('limit=25'), aim: '10 %' },
    { what: 'page of 25 by name', inFlight: 16, status: 200, makeRequest: page('limit=25&name=image-7') },
    {
      what: 'page of 25 by property',
      inFlight: 16,
      status: 200,
      makeRequest: page('limit=25&os_distro=debian'),
    },
    {
      what: 'create',
      inFlight: 16,
      status: 201,
      makeRequest: (n) => postRequest('/v2/images', newImage(n)),
    },
  ];
}

/**
 * Metadata requests among 20,000 images, each as a share of `measureRaw()`: the bare round trips a second of the
 * broker, measured again in every round.
 */
export async function benchMetadata(
  target: Target,
  options: {
    seconds: number;
    rounds: number;
    images?: number;
    measureRaw: (() => Promise<number>) | undefined;
  },
): Promise<Row[]> {
  await seed(target, options.images ?? IMAGES);
  const ids = await Promise.all(Array.from({ length: 200 }, (_, n) => createImage(target.url, newImage(n))));
  const raw: number[] = [];
  const cases = casesFor(ids).map((which) => ({
    which,
    rates: [] as number[],
    p50: [] as number[],
    cpu: [] as number[],
  }));
  for (let n = 0; n < options.rounds; n++) {
    if (options.measureRaw !== undefined) raw.push(await options.measureRaw());
    for (const { which, rates, p50, cpu } of cases) {
      const measured = await target.measure(() =>
        runLoad(target.url, { ...which, seconds: options.seconds }),
      );
      rates.push(measured.result.requestsPerSecond);
      p50.push(measured.result.medianMs);
      cpu.push((1000 * measured.cpu) / (measured.result.requestsPerSecond * options.seconds));
    }
  }
  const bare = median(raw);
  return [
    ...(raw.length === 0
      ? []
      : [{ what: 'bare RabbitMQ round trips, 16 in flight', figure: `${round(bare)}/s` }]),
    ...cases.map(({ which, rates, p50, cpu }): Row => ({
      what: `${which.what}, ${which.inFlight} in flight`,
      figure: `${round(median(rates))}/s`,
      ...(raw.length === 0 ? {} : { ratio: percent(median(rates), bare) }),
      ...(which.aim === undefined || raw.length === 0 ? {} : { aim: which.aim }),
      note: `${round(median(p50), 1)} ms, ${round(median(cpu), 2)} ms CPU`,
    })),
  ];
}
