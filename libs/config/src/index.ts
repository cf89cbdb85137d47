export { ConfigError, loadConfig } from './load-config.js';
export { type OptionDescription, listOptions } from './options.js';
export { type Config, type StoreConfig, ConfigSchema } from './schema.js';
export { keystoneProblems } from './sections/keystone.js';
export { snapshotBus } from './sections/snapshot-requests.js';
