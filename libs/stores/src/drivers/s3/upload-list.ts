import { ListMultipartUploadsCommand, ListPartsCommand } from '@aws-sdk/client-s3';
import type { S3Connection } from './s3-connection.js';
import { nameOf } from './s3-errors.js';

/** An upload in parts that is not complete. */
export interface IncompleteUpload {
  readonly key: string;
  /** The server's. */
  readonly id: string;
  /** When it began, in epoch milliseconds by the server's clock. */
  readonly beganAt: number;
}

interface UploadPage {
  readonly uploads: readonly IncompleteUpload[];
  /** Where the next page begins; undefined behind the last. */
  readonly next: UploadMarkers | undefined;
}

interface UploadMarkers {
  readonly KeyMarker?: string | undefined;
  readonly UploadIdMarker?: string | undefined;
}

/** The uploads of keys that begin with `prefix`. */
export async function* listUploads(
  connection: S3Connection,
  { prefix, signal }: { readonly prefix?: string; readonly signal: AbortSignal | undefined },
): AsyncGenerator<IncompleteUpload> {
  for (let markers: UploadMarkers | undefined = {}; markers !== undefined;) {
    const page: UploadPage = await uploadPage(connection, prefix, markers, signal);
    yield* page.uploads;
    markers = page.next;
  }
}

async function uploadPage(
  { client, bucket }: S3Connection,
  prefix: string | undefined,
  markers: UploadMarkers,
  signal: AbortSignal | undefined,
): Promise<UploadPage> {
  const page = await client.send(
    new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...markers }),
    { abortSignal: signal },
  );
  const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
  return {
    uploads: (page.Uploads ?? []).flatMap(({ Key, UploadId, Initiated }) =>
      Key === undefined || UploadId === undefined
        ? []
        : [{ key: Key, id: UploadId, beganAt: Initiated?.getTime() ?? Date.now() }],
    ),
    next: page.IsTruncated === true && KeyMarker !== undefined ? { KeyMarker, UploadIdMarker } : undefined,
  };
}

/** What there is of an upload, and when it was last added to; undefined where it was completed or given up meanwhile. */
export async function measureUpload(
  { client, bucket }: S3Connection,
  { key, id, beganAt }: IncompleteUpload,
  signal: AbortSignal | undefined,
): Promise<{ readonly size: number; readonly modifiedAt: number } | undefined> {
  let size = 0;
  let modifiedAt = beganAt;
  try {
    for (let marker: string | undefined = '0'; marker !== undefined;) {
      const page: { Parts?: { Size?: number; LastModified?: Date }[]; next: string | undefined } =
        await client
          .send(new ListPartsCommand({ Bucket: bucket, Key: key, UploadId: id, PartNumberMarker: marker }), {
            abortSignal: signal,
          })
          .then(({ Parts, IsTruncated, NextPartNumberMarker }) => ({
            Parts: Parts ?? [],
            next: IsTruncated === true ? NextPartNumberMarker : undefined,
          }));
      for (const { Size = 0, LastModified } of page.Parts ?? []) {
        size += Size;
        modifiedAt = Math.max(modifiedAt, LastModified?.getTime() ?? 0);
      }
      marker = page.next;
    }
    return { size, modifiedAt };
  } catch (error) {
    if (nameOf(error) === 'NoSuchUpload') return undefined;
    throw error;
  }
}
