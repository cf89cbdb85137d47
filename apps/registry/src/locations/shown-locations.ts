import type { Config } from '@glimpse/config';
import { type Image, toShownLocation } from '@glimpse/contracts';
import type { StoredImage } from '../images/stored-image.js';

/** Where an image's data is, as far as the configuration shows it to a caller. Nothing of a deactivated image, but to admins. */
export function shownLocations(
  { image, locations }: StoredImage,
  isAdmin: boolean,
  { showImageDirectUrl, showMultipleLocations }: Config['images'],
): Pick<Image, 'directUrl' | 'locations'> {
  if (!showImageDirectUrl && !showMultipleLocations) return {};
  const shown = image.status === 'deactivated' && !isAdmin ? [] : locations.map(toShownLocation);
  const [best] = shown;
  return {
    ...(showImageDirectUrl && best !== undefined ? { directUrl: best.url } : {}),
    ...(showMultipleLocations ? { locations: shown } : {}),
  };
}
