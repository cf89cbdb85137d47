/// <reference lib="es2024.arraybuffer" />

/**
 * Gives the memory of a chunk back at once, where no other buffer shares it. Left to the garbage collector, the chunks
 * of a fast transfer make it run all the time: that took half of the CPU time of receiving (docs/adr/0005).
 */
export function freeChunk(chunk: Buffer): void {
  const { buffer } = chunk;
  if (chunk.length === buffer.byteLength && 'transfer' in buffer) buffer.transfer(0);
}
