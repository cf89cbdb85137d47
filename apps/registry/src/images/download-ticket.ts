import type { DownloadTicket } from '@glimpse/contracts';
import type { StoredImage } from './stored-image.js';

/** What a gateway needs to read the image's data and to say what it is. */
export const toDownloadTicket = ({ image, locations }: StoredImage): DownloadTicket => ({
  imageId: image.id,
  status: image.status,
  size: image.size,
  checksum: image.checksum,
  osHashAlgo: image.osHashAlgo,
  osHashValue: image.osHashValue,
  locations: [...locations],
});
