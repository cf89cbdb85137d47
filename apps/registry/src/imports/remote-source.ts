import { type ImportRequest, type ImportSource, ServiceError } from '@glimpse/contracts';

type Method = Extract<ImportRequest['method'], { name: 'glance-download' }>;

const UUID = /^[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}$/i;
const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

/** From where a glance-download reads (spec/api-images.md section 10.2, row 6). Throws REQUEST_INVALID. */
export function remoteSourceOf({ region, imageId, serviceInterface, remote }: Method): ImportSource {
  if (region === null) throw invalid("'glance_region' needs to be set for glance-download import method");
  if (imageId === null) throw invalid("'glance_image_id' needs to be set for glance-download import method");
  if (!UUID.test(imageId)) throw invalid('Remote image id does not look like a UUID');
  if (remote === null)
    throw invalid(
      `Your catalogue has no ${serviceInterface} endpoint of an image service in the region ${region}`,
    );
  return { kind: 'glance', url: remote.url, token: remote.token, imageId };
}
