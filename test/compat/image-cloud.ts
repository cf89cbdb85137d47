import { randomUUID } from 'node:crypto';
import { type AddressInfo, createServer } from 'node:net';
import type { Keystone } from '@glimpse/testing';

const LIMITED = ['image_count_total', 'image_size_total', 'image_count_uploading', 'image_stage_total'];
/** More than any test needs; tests that try a limit set one of their own. */
const PLENTY = 1_000;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A region of its own in a Keystone that others use too, whose image service is the Glimpse under test. */
export class ImageCloud {
  private constructor(
    readonly identityUrl: string,
    readonly admin: { readonly username: string; readonly password: string },
    readonly region: string,
    /** Of the image service in the catalogue. */
    readonly serviceType: string,
    /** The configuration of the Glimpse that is to be this region's image service. */
    readonly env: Readonly<Record<string, string>>,
  ) {}

  static async create(keystone: Keystone): Promise<ImageCloud> {
    const region = await keystone.createRegion(keystone.url);
    const port = await freePort();
    const serviceType = `image-${region}`;
    const service = await createGlance(keystone, serviceType);
    for (const kind of ['public', 'internal', 'admin'])
      await keystone.admin('POST', '/endpoints', {
        endpoint: {
          service_id: service,
          region_id: region,
          interface: kind,
          url: `http://127.0.0.1:${port}`,
        },
      });
    for (const resource of LIMITED) await keystone.registerLimit(service, region, resource, PLENTY);
    const project = await keystone.createProject(`service-${randomUUID().slice(0, 8)}`);
    const user = await keystone.createUser([
      { roles: ['service'], on: { project } },
      { roles: ['reader'], on: { system: 'all' } },
    ]);
    return new ImageCloud(keystone.url, keystone.adminAccount, region, serviceType, {
      GLIMPSE_PORT: String(port),
      GLIMPSE_KEYSTONE_SERVICE_TYPE: serviceType,
      GLIMPSE_KEYSTONE_AUTH_URL: keystone.url,
      GLIMPSE_KEYSTONE_REGION_NAME: region,
      GLIMPSE_KEYSTONE_USER_ID: user.id,
      GLIMPSE_KEYSTONE_PASSWORD: user.password,
      GLIMPSE_KEYSTONE_PROJECT_ID: project.id,
      GLIMPSE_KEYSTONE_USE_LIMITS: 'true',
      GLIMPSE_KEYSTONE_LIMITS_CACHE_TTL_MS: '0',
    });
  }
}

/**
 * Tempest takes the first service of a type, whatever its region, and looks for limits of the first that is called
 * `glance`. So this one has a type of its own, and others of that name, of runs that were broken off, go.
 */
async function createGlance(keystone: Keystone, type: string): Promise<string> {
  for (let old = await keystone.find('service', 'name=glance'); old;) {
    await keystone.admin('DELETE', `/services/${old.id}`);
    old = await keystone.find('service', 'name=glance');
  }
  const body = await keystone.admin('POST', '/services', { service: { type, name: 'glance' } });
  return (body as { service: { id: string } }).service.id;
}
