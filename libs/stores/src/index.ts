export type {
  ByteRange,
  CallOptions,
  Location,
  ReadOptions,
  StoreCapabilities,
  StoreDriver,
  StoredObject,
  WriteOptions,
} from './store-driver.js';
export type { SetAside, SetAsideEntry, StoreInventory, StoredEntry } from './store-inventory.js';
export type { StoreProperties } from './driver-type.js';
export { createStoreFinder } from './store-finder.js';
export {
  type ResolvedLocation,
  type StoreDescription,
  StoreRegistry,
  createStores,
} from './store-registry.js';
export { isUnreadable } from './drivers/file/fs-errors.js';
export { type Run, dataRuns } from './drivers/file/zero-runs.js';
export { writeFully } from './write-fully.js';
