import type { RpcClient } from '@glimpse/bus';
import {
  type Caller,
  STAGING_STORE,
  type StoredData,
  registryImages,
  registryImports,
  stagedKeyOf,
} from '@glimpse/contracts';
import { type DataInspector, type FormatRules, createFormatGuard } from '@glimpse/inspector';

/** One upload, by the names that the registry knows it by. */
export interface Upload {
  readonly ctx: Caller;
  readonly id: string;
  readonly uploadId: string;
}

/** What was let in, and where it goes. */
export interface AdmittedUpload {
  readonly storeId: string;
  /** Names the data in the store. */
  readonly key: string;
  readonly sizeCap: number | undefined;
  /** Refuses data that the image must not have. */
  readonly inspector: DataInspector | undefined;
}

export interface BeginUpload {
  readonly instanceId: string;
  readonly storeId: string;
  readonly size: number | null;
  /** What image data must be. */
  readonly formats: FormatRules;
}

/** What becomes of data that a client sends. Both calls go to the registry, and can be repeated. */
export interface UploadTarget {
  /** Whether the data is hashed on its way. */
  readonly isHashed: boolean;
  begin(rpc: RpcClient, upload: Upload, request: BeginUpload): Promise<AdmittedUpload>;
  commit(rpc: RpcClient, upload: Upload, stored: StoredData): Promise<unknown>;
}

/** The data becomes the image's, which is active then. */
export const intoStore: UploadTarget = {
  isHashed: true,
  begin: async (rpc, upload, { formats, ...request }) => {
    const ticket = await rpc.call(registryImages.beginUpload, { ...upload, ...request });
    const { storeId, imageId: key, sizeCap } = ticket;
    return { storeId, key, sizeCap, inspector: createFormatGuard(ticket, formats) };
  },
  commit: (rpc, upload, stored) => rpc.call(registryImages.commitUpload, { ...upload, stored }),
};

/** The data waits to be imported, which is when it is looked at. */
export const intoStaging: UploadTarget = {
  isHashed: false,
  begin: async (rpc, upload, { instanceId, size }) => {
    const ticket = await rpc.call(registryImports.beginStaging, { ...upload, instanceId, size });
    const key = stagedKeyOf(ticket.imageId, upload.uploadId);
    return { storeId: STAGING_STORE, key, sizeCap: ticket.sizeCap, inspector: undefined };
  },
  commit: (rpc, upload, { location, size }) =>
    rpc.call(registryImports.commitStaging, { ...upload, staged: { location, size } }),
};
