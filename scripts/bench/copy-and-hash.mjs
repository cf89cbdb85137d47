// Copies the files it is given into a folder as a store has them: hashed with MD5 and SHA-512, holes kept, synced. Prints the seconds.
import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';

const MIB = 1 << 20;
const [folder, ...files] = process.argv.slice(2);
const piece = Buffer.allocUnsafeSlow(MIB);
const zeros = Buffer.alloc(MIB);

async function copy(path, target) {
  const source = await open(path);
  const file = await open(target, 'w');
  const hashes = [createHash('md5'), createHash('sha512')];
  for (let at = 0; ;) {
    const { bytesRead } = await source.read(piece, 0, MIB, at);
    if (bytesRead === 0) break;
    const data = piece.subarray(0, bytesRead);
    for (const hash of hashes) hash.update(data);
    if (!data.equals(zeros.subarray(0, bytesRead))) await file.write(data, 0, bytesRead, at);
    at += bytesRead;
    await file.truncate(at);
  }
  await file.sync();
  await Promise.all([source.close(), file.close()]);
}

const start = performance.now();
for (const [n, path] of files.entries()) {
  const target = join(folder, `copy-${process.pid}-${n}`);
  await copy(path, target);
  await rm(target);
}
console.log((performance.now() - start) / 1000);
