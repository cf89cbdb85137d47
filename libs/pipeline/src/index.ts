export { freeChunk } from './memory/free-chunk.js';
export { type FanOutRequest, type FannedOut, StoresFailed } from './fan-out.js';
export type { BranchOutcome } from './branch.js';
export type { HashImageRequest, HashedImage } from './hash-image.js';
export type { StoreImageRequest, StoredImage } from './transfer.js';
export { ProgressMeter } from './progress-meter.js';
export { TransferPipeline } from './transfer-pipeline.js';
