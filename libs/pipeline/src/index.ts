export type { StoreImageRequest, StoredImage } from './transfer.js';
export { TransferPipeline } from './transfer-pipeline.js';
