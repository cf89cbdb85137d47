export { removeAbandonedPlaces } from './abandoned-places.js';
export { anImage } from './builders/an-image.js';
export { anImageQuery } from './builders/an-image-query.js';
export { type ComputeReply, ComputeHost, requestsAreTaken } from './compute-host.js';
export { DataServer } from './data-server.js';
export { aHostileImage } from './disk-images/hostile-images.js';
export { imageSamples } from './disk-images/image-samples.js';
export { inspectHostileImage } from './disk-images/inspect-hostile-image.js';
export {
  type Partition,
  PROTECTIVE_PARTITION,
  aLuksVolume,
  aPartitionedDisk,
  aPloopImage,
  aQedImage,
  aTarArchive,
  aVdiImage,
  anIsoImage,
} from './disk-images/other-images.js';
export { aQcow2Image } from './disk-images/qcow2-image.js';
export { SeededRandom } from './disk-images/seeded-random.js';
export { aFixedVhd, aVhdImage, vhdFooter } from './disk-images/vhd-image.js';
export { type ArchiveMember, anArchiveOf, anOvfDescriptor } from './disk-images/virtual-appliance.js';
export { aVhdxImage } from './disk-images/vhdx-image.js';
export { aStreamOptimizedVmdk, aVmdkImage, vmdkDescriptor, vmdkHeader } from './disk-images/vmdk-image.js';
export { eachMode } from './each-mode.js';
export { EventReader, type ReceivedEvent } from './event-reader.js';
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
export { OwnBucket, type S3Server, getS3Server, hasQuotas } from './own-bucket.js';
export { QemuNbd, type QemuNbdOptions } from './qemu-nbd.js';
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
export { type AnswerMessage, type ReceivedMessage, WebhookReceiver } from './webhook-receiver.js';
