export { anImage } from './builders/an-image.js';
export { anImageQuery } from './builders/an-image-query.js';
export { DataServer } from './data-server.js';
export { eachMode } from './each-mode.js';
export {
  type GlimpseOptions,
  type Mode,
  type ServiceName,
  Glimpse,
  runManage,
  startGlimpse,
} from './glimpse.js';
export { type HttpAnswer, type HttpRequest, type RequestBody, request } from './http-client.js';
export { type ImageDocument, ImageApi } from './image-api.js';
export { type ApplicationCredential, type KeystoneUser, type Named, Keystone } from './keystone/keystone.js';
export {
  type SeenRequest,
  type TokenDocument,
  StandInKeystone,
  aTokenDocument,
} from './keystone/stand-in-keystone.js';
export { OidcIssuer, type TokenOptions } from './oidc-issuer.js';
export { ServiceProcess } from './service-process.js';
export { TcpProxy } from './tcp-proxy.js';
export {
  type OwnPlace,
  type TestServers,
  createDatabase,
  createUser,
  createVirtualHost,
  cutConnections,
  getTestServers,
  getTlsServers,
  peerOfConnections,
} from './test-servers.js';
export { waitFor } from './wait-for.js';
