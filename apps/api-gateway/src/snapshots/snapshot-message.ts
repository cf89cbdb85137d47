import {
  SnapshotCancel,
  type SnapshotOrder,
  type SnapshotReplyAddress,
  SnapshotRequest,
} from '@glimpse/contracts';
import { z } from 'zod';
import type { KeptMessage } from './kept-message.js';

/** Who a message says that it is for. */
export interface StatedIdentity {
  readonly projectId?: string | undefined;
  readonly userId?: string | undefined;
  readonly roles?: readonly string[] | undefined;
}

/** What a message asks for. */
export type SnapshotWish =
  | { readonly action: 'create'; readonly order: SnapshotOrder }
  | { readonly action: 'cancel'; readonly requestId: string }
  | { readonly action: 'show'; readonly requestId: string }
  | { readonly action: 'show'; readonly imageId: string };

/** A message about snapshots that was read and checked. */
export interface SnapshotMessage {
  readonly wish: SnapshotWish;
  readonly requestId: string | null;
  readonly stated: StatedIdentity;
  /** A token that stands for the identity. */
  readonly token: string | undefined;
  /** A token that goes along without being meant so: that of oslo.messaging's context. */
  readonly contextToken?: string | undefined;
  readonly replyTo: SnapshotReplyAddress | null;
  readonly kept: KeptMessage;
}

type Read = Pick<SnapshotMessage, 'wish' | 'requestId' | 'stated' | 'token'>;

/** Asks how a snapshot stands; by oslo.messaging only. */
export const SnapshotShow = SnapshotCancel.omit({ type: true, request_id: true })
  .extend({
    request_id: z.string().min(1).max(255).optional(),
    image_id: z.string().min(1).max(36).optional(),
  })
  .refine(
    ({ request_id: requestId, image_id: imageId }) => (requestId === undefined) !== (imageId === undefined),
    {
      error: 'names a request_id or an image_id, and not both',
    },
  );

interface Identity {
  readonly project_id?: string | undefined;
  readonly user_id?: string | undefined;
  readonly roles?: string[] | undefined;
  readonly auth?: { readonly token: string } | undefined;
}

const identityOf = ({ project_id: projectId, user_id: userId, roles, auth }: Identity) => ({
  stated: { projectId, userId, roles },
  token: auth?.token,
});

/** Throws a `ZodError` for what breaks the contract; so do the others. */
export function readCreate(document: unknown): Read {
  const request = SnapshotRequest.parse(document);
  const {
    schema_version: _version,
    type: _type,
    project_id: _project,
    user_id: _user,
    roles: _roles,
    auth: _auth,
    ...order
  } = request;
  return { wish: { action: 'create', order }, requestId: order.request_id, ...identityOf(request) };
}

export function readCancel(document: unknown): Read {
  const cancel = SnapshotCancel.parse(document);
  const requestId = cancel.request_id;
  return { wish: { action: 'cancel', requestId }, requestId, ...identityOf(cancel) };
}

export function readShow(document: unknown): Read {
  const show = SnapshotShow.parse(document);
  const { request_id: requestId, image_id: imageId } = show;
  const wish: SnapshotWish =
    requestId === undefined ? { action: 'show', imageId: imageId ?? '' } : { action: 'show', requestId };
  return { wish, requestId: requestId ?? null, ...identityOf(show) };
}
