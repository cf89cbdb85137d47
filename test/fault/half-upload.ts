import { type ClientRequest, request } from 'node:http';
import { readdir } from 'node:fs/promises';
import { type Glimpse, ImageApi, waitFor } from '@glimpse/testing';

/** An upload that has sent some of its bytes and waits. */
export interface HalfUpload {
  /** Sends `rest` as the end of the body; resolves with the status. */
  finish(rest: Uint8Array): Promise<number>;
  /** Goes away without a word. */
  disconnect(): void;
}

/** Sends `part` to an image without ending the body, and waits until the image is `saving` and `part` lies in the store. */
export async function uploadHalf(glimpse: Glimpse, imageId: string, part: Uint8Array): Promise<HalfUpload> {
  const sent: ClientRequest = request(`${glimpse.url}/v2/images/${imageId}/file`, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream' },
  });
  const status = new Promise<number>((resolve, reject) => {
    sent.once('response', (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.once('error', reject);
  });
  status.catch(() => undefined);
  sent.write(part);
  const api = new ImageApi(() => glimpse.url);
  await waitFor('the image to be saving', async () => (await api.show(imageId)).status === 'saving');
  await waitFor('something in the store', async () => (await storeFiles(glimpse)).length > 0);
  return {
    finish: (rest) => {
      sent.end(rest);
      return status;
    },
    disconnect: () => void sent.destroy(),
  };
}

/** Everything that lies in a folder and below, hidden files included. */
export async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** Everything that lies in the default store. */
export const storeFiles = (glimpse: Glimpse): Promise<string[]> => filesIn(glimpse.storeDir);
