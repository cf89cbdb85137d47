import { randomBytes } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';

const PIECE = randomBytes(1 << 20);

function answered(sent: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve);
    sent.once('error', reject);
  });
}

async function expectStatus(response: IncomingMessage, ...accepted: number[]): Promise<void> {
  if (accepted.includes(response.statusCode ?? 0)) return;
  let text = '';
  for await (const piece of response) text += String(piece);
  throw new Error(`the server answered ${response.statusCode}: ${text}`);
}

/** Sends `sizeBytes` bytes with PUT; gives the seconds until the answer. */
export async function upload(url: string, sizeBytes: number): Promise<number> {
  const start = performance.now();
  const sent = request(url, {
    method: 'PUT',
    headers: { 'content-type': 'application/octet-stream', 'content-length': sizeBytes },
  });
  const response = answered(sent);
  for (let left = sizeBytes; left > 0; left -= PIECE.length) {
    const piece = left < PIECE.length ? PIECE.subarray(0, left) : PIECE;
    if (!sent.write(piece)) await new Promise((resolve) => void sent.once('drain', resolve));
  }
  sent.end();
  const answer = await response;
  await expectStatus(answer, 204, 200);
  answer.resume();
  return (performance.now() - start) / 1000;
}

/** Reads a body to its end and throws it away; gives the seconds it took. */
export async function download(url: string, sizeBytes: number): Promise<number> {
  const start = performance.now();
  const sent = request(url);
  const response = answered(sent);
  sent.end();
  const answer = await response;
  await expectStatus(answer, 200);
  let received = 0;
  for await (const piece of answer) received += (piece as Buffer).length;
  if (received !== sizeBytes) throw new Error(`received ${received} of ${sizeBytes} bytes`);
  return (performance.now() - start) / 1000;
}
