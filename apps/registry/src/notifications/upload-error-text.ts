/** What Glance says of data that did not become an image's, by the kind of the failure. */
const texts: Readonly<Record<string, (imageId: string, reason: string) => string>> = {
  STORE_FULL: (_id, reason) => `Image storage media is full: ${reason}`,
  STORE_WRITE_DENIED: (_id, reason) => `Insufficient permissions on image storage media: ${reason}`,
  STORE_FORBIDDEN: (_id, reason) => `Insufficient permissions on image storage media: ${reason}`,
  STORE_OBJECT_DUPLICATE: (id, reason) => `Unable to upload duplicate image data for image ${id}: ${reason}`,
  ACTION_FORBIDDEN: (id, reason) => `Not allowed to upload image data for image ${id}: ${reason}`,
  IMAGE_NOT_FOUND: (id, reason) =>
    `Image ${id} could not be found after upload. The image may have been deleted during the upload: ${reason}`,
};

/** The payload of an `image.upload` of priority ERROR. `code` is that of the failure, where it is known. */
export function uploadErrorText(imageId: string, reason: string, code?: string): string {
  const text = code === undefined ? undefined : texts[code];
  return (
    text?.(imageId, reason) ??
    `Failed to upload image data for image ${imageId} due to internal error: ${reason}`
  );
}
