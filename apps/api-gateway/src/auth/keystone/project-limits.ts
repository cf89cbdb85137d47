import type { Config } from '@glimpse/config';
import type { ProjectLimits } from '@glimpse/contracts';
import type { Logger } from '@glimpse/observability';
import { z } from 'zod';
import { identityUnavailable } from './identity-unavailable.js';
import { LruCache } from '../lru-cache.js';
import { type ServiceSession, findEndpoint } from './service-session.js';

const Registered = z.object({
  registered_limits: z.array(
    z.object({ resource_name: z.string(), region_id: z.string().nullish(), default_limit: z.int() }),
  ),
});
const Own = z.object({
  limits: z.array(
    z.object({ resource_name: z.string(), region_id: z.string().nullish(), resource_limit: z.int() }),
  ),
});

/** Keystone's names of what is limited. */
const resources = {
  image_count_total: 'imageCountTotal',
  image_size_total: 'imageSizeTotal',
  image_count_uploading: 'imageCountUploading',
  image_stage_total: 'imageStageTotal',
} as const satisfies Record<string, keyof ProjectLimits>;

interface Limit {
  readonly resource_name: string;
  readonly region_id?: string | null | undefined;
}

/** That of the region goes before one without a region. */
function findLimit<L extends Limit>(limits: readonly L[], name: string, region: string | undefined) {
  const named = limits.filter((limit) => limit.resource_name === name);
  return (
    named.find(({ region_id: id }) => id != null && id === region) ??
    named.find(({ region_id: id }) => id == null || region === undefined)
  );
}

const PROJECTS_REMEMBERED = 10_000;

type Options = Pick<Config['keystone'], 'serviceType' | 'interface' | 'regionName' | 'limitsCacheTtlMs'>;

/** The unified limits that Keystone keeps for the projects. */
export class ProjectLimitsReader {
  private readonly known = new LruCache<{ limits: ProjectLimits; freshUntil: number }>(PROJECTS_REMEMBERED);
  private readonly underWay = new Map<string, Promise<ProjectLimits>>();

  constructor(
    /** Logged in to the system: of a project it would see that project's limits only. */
    private readonly session: Pick<ServiceSession, 'get' | 'catalog'>,
    private readonly options: Options,
    private readonly logger: Logger,
    private readonly now: () => number = Date.now,
  ) {}

  /** The limits of a project; those known last while Keystone is away. */
  async of(projectId: string): Promise<ProjectLimits> {
    const known = this.known.get(projectId, this.now());
    if (known !== undefined && this.now() < known.freshUntil) return known.limits;
    try {
      return await this.askOnce(projectId);
    } catch (error) {
      if (known === undefined) throw error;
      this.logger.debug({ err: error }, 'limits can not be read, the last known ones hold');
      return known.limits;
    }
  }

  private askOnce(projectId: string): Promise<ProjectLimits> {
    const underWay = this.underWay.get(projectId);
    if (underWay !== undefined) return underWay;
    const answer = this.ask(projectId).finally(() => this.underWay.delete(projectId));
    this.underWay.set(projectId, answer);
    return answer;
  }

  private async ask(projectId: string): Promise<ProjectLimits> {
    const endpoint = findEndpoint(await this.session.catalog(), this.options.serviceType, this.options);
    if (endpoint === undefined)
      throw this.unusable(`the catalogue has no endpoint of type ${this.options.serviceType}`);
    const service = `service_id=${encodeURIComponent(endpoint.serviceId)}`;
    const [registered, own] = await Promise.all([
      this.read(Registered, `/registered_limits?${service}`),
      this.read(Own, `/limits?${service}&project_id=${encodeURIComponent(projectId)}`),
    ]);
    const limits: ProjectLimits = {};
    for (const [name, field] of Object.entries(resources))
      // oslo.limit takes what is not registered for 0, and so does Glance.
      limits[field] =
        findLimit(own.limits, name, endpoint.regionId)?.resource_limit ??
        findLimit(registered.registered_limits, name, endpoint.regionId)?.default_limit ??
        0;
    const now = this.now();
    const freshUntil = now + this.options.limitsCacheTtlMs;
    this.known.set(projectId, { limits, freshUntil }, Number.POSITIVE_INFINITY, now);
    return limits;
  }

  private async read<T>(schema: z.ZodType<T>, path: string): Promise<T> {
    const { status, body } = await this.session.get('limits', path);
    const parsed = schema.safeParse(body);
    if (status !== 200 || !parsed.success) throw this.unusable(`Keystone answered ${status}`);
    return parsed.data;
  }

  private unusable(reason: string): Error {
    this.logger.error({ reason }, "the limits of projects can not be read from Keystone's unified limits");
    return identityUnavailable(new Error(reason));
  }
}

/** Whether a request may need the limits: it makes an image or adds to one, or asks for the usage. */
export function needsLimits({ method, url }: { readonly method: string; readonly url: string }): boolean {
  const [path = ''] = url.split('?');
  return ['POST', 'PUT', 'PATCH'].includes(method)
    ? path.startsWith('/v2/images')
    : path === '/v2/info/usage';
}
