export { ConfigError, loadConfig, parseConfig } from './config/load.ts';
export type { Config, EndpointConfig } from './config/schema.ts';
export type { ProxyDependencies, RunningProxy } from './main.ts';
export { startProxy } from './main.ts';
export type { Logger } from './shared/logger.ts';
export { createLogger, silentLogger } from './shared/logger.ts';
