import type { DownloadTicket } from '@glimpse/contracts';
import type { StoredImage } from './stored-image.js';

/** What a gateway needs to read the image's data and to say what it is. */
export const toDownloadTicket = ({ image, locations }: StoredImage): DownloadTicket => ({
  imageId: image.id,
  status: image.status,
  owner: image.owner,
  size: image.size,
  checksum: image.checksum,
  osHashAlgo: image.osHashAlgo,
  osHashValue: image.osHashValue,
  locations: hasVerifiedData(image) ? [...locations] : [],
});

/** What a registered location holds is nobody's to read before it was verified. */
const hasVerifiedData = ({ status }: StoredImage['image']) => status === 'active' || status === 'deactivated';
