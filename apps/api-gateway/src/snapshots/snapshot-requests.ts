import { type ForeignRequest, RpcClient } from '@glimpse/bus';
import {
  type Snapshot,
  type ServiceError,
  type SnapshotReply,
  isServiceError,
  registrySnapshots,
  rejectedSnapshotReply,
  toSnapshotReply,
} from '@glimpse/contracts';
import { counter, metricNames, runInContext, traceparentFrom } from '@glimpse/observability';
import { Injectable } from '@nestjs/common';
import { GatewaySettings } from '../gateway-settings.js';
import { BrokenMessage } from './broken-message.js';
import { readMessage } from './read-message.js';
import { type SnapshotCaller, SnapshotCallers } from './snapshot-callers.js';
import type { SnapshotMessage } from './snapshot-message.js';
import { SnapshotReplies } from './snapshot-replies.js';
import { withoutLongWords } from './without-secrets.js';

const handled = counter({
  name: metricNames.snapshotRequests,
  help: 'Messages about snapshots, by what became of them.',
  labelNames: ['outcome'],
});

/** A message that took so many gateways with it is not tried again. */
const MAX_REDELIVERIES = 20;
/** After so many attempts a failure that nobody foresaw, a mistake of ours, is taken to be there for good. */
const MAX_UNFORESEEN_ATTEMPTS = 8;

type Outcome = Snapshot['status'] | 'rejected' | 'broken' | 'retried' | 'expired' | 'given-up' | 'left';

const MAX_ERROR_LENGTH = 4_096;
const UNFORESEEN = 'The image service could not carry out the request, see its log';

/** Carries out what compute asks for. A message is acknowledged when its end is known to whoever waits for it, or written down. */
@Injectable()
export class SnapshotRequests {
  constructor(
    private readonly rpc: RpcClient,
    private readonly callers: SnapshotCallers,
    private readonly replies: SnapshotReplies,
    private readonly settings: GatewaySettings,
  ) {}

  /** Never rejects: what could not be put aside either comes again. */
  async take(request: ForeignRequest): Promise<void> {
    const context = { traceparent: traceparentFrom(request.traceparent) };
    await runInContext(context, async () => {
      const outcome = await this.handle(request).catch((error: unknown) =>
        this.tryLater(request, null, error),
      );
      handled.inc({ outcome });
    });
  }

  private async handle(request: ForeignRequest): Promise<Outcome> {
    if (request.deadline !== null && request.deadline <= Date.now()) {
      request.done();
      return 'expired';
    }
    if (request.redeliveries >= MAX_REDELIVERIES) {
      const kept = Buffer.from(withoutLongWords(request.body.toString()));
      await request.bury(`It came back ${request.redeliveries} times from gateways that ended with it`, kept);
      return 'given-up';
    }
    let message: SnapshotMessage;
    try {
      message = readMessage(request, this.settings.config.snapshots);
    } catch (error) {
      if (error instanceof BrokenMessage) return this.refuse(request, error);
      throw error;
    }
    return this.carryOut(request, message);
  }

  private async carryOut(request: ForeignRequest, message: SnapshotMessage): Promise<Outcome> {
    const { replyTo, wish } = message;
    try {
      const caller = await this.callers.identify(message, request.publisher);
      const snapshot = await this.ask(message, caller);
      this.log(request, message, {
        status: snapshot.status,
        imageId: snapshot.imageId,
        project: snapshot.projectId,
      });
      if (replyTo !== null && !isToWait(message, snapshot))
        await this.replies.send(replyTo, toSnapshotReply(snapshot), { isAnswer: wish.action !== 'create' });
      request.done();
      return snapshot.status;
    } catch (error) {
      const isForeseen = isServiceError(error) && error.code !== 'INTERNAL' && error.code !== 'RPC_UNKNOWN';
      if (isForeseen && !error.isRetryable) return this.reject(request, message, error);
      if (!isForeseen && request.attempt >= MAX_UNFORESEEN_ATTEMPTS)
        return this.giveUp(request, message, error);
      return this.tryLater(request, message.requestId, error);
    }
  }

  /** Others are served meanwhile. What can't be put aside comes again from the broker. */
  private async tryLater(request: ForeignRequest, requestId: string | null, err: unknown): Promise<Outcome> {
    const { logger } = this.settings;
    const about = { snapshotRequest: requestId, attempt: request.attempt };
    logger.warn({ err, ...about }, 'a snapshot request is tried again later');
    try {
      await request.retry();
      return 'retried';
    } catch (error) {
      logger.warn({ err: error, ...about }, 'a snapshot request could not be put aside');
      return 'left';
    }
  }

  private ask({ wish, replyTo }: SnapshotMessage, { ctx, isTrusted }: SnapshotCaller): Promise<Snapshot> {
    if (wish.action === 'create') {
      const { order } = wish;
      const atTheEnd = order.reply === 'completed' ? replyTo : null;
      return this.rpc.call(registrySnapshots.request, { ctx, request: order, isTrusted, replyTo: atTheEnd });
    }
    if (wish.action === 'cancel')
      return this.rpc.call(registrySnapshots.cancel, { ctx, requestId: wish.requestId });
    const by =
      'imageId' in wish
        ? { kind: 'image' as const, imageId: wish.imageId }
        : { kind: 'request' as const, requestId: wish.requestId };
    return this.rpc.call(registrySnapshots.show, { ctx, by });
  }

  private async reject(
    request: ForeignRequest,
    message: SnapshotMessage,
    { code, message: reason }: ServiceError,
  ): Promise<Outcome> {
    this.log(request, message, { status: 'rejected', code, reason });
    if (message.replyTo !== null)
      await this.replies.send(message.replyTo, rejection(message.requestId, code, reason));
    request.done();
    return 'rejected';
  }

  /** What nobody can make sense of is answered, where that can be, and kept for the operator. */
  private async refuse(request: ForeignRequest, broken: BrokenMessage): Promise<Outcome> {
    const { replyTo, requestId, remote } = broken.told;
    this.settings.logger.warn(
      { publisher: request.publisher, snapshotRequest: requestId, reason: broken.message },
      'a message about snapshots is broken',
    );
    if (replyTo !== null)
      await this.replies.send(replyTo, rejection(requestId, 'REQUEST_INVALID', broken.message), {
        remote,
      });
    await request.bury(broken.message, Buffer.from(broken.kept));
    return 'broken';
  }

  private async giveUp(
    request: ForeignRequest,
    { replyTo, requestId, kept }: SnapshotMessage,
    error: unknown,
  ): Promise<Outcome> {
    this.settings.logger.error({ err: error, snapshotRequest: requestId }, 'a snapshot request is given up');
    if (replyTo !== null) await this.replies.send(replyTo, rejection(requestId, 'INTERNAL', UNFORESEEN));
    await request.bury(UNFORESEEN, Buffer.from(kept));
    return 'given-up';
  }

  private log(request: ForeignRequest, { wish, requestId }: SnapshotMessage, what: object): void {
    const { publisher, attempt } = request;
    this.settings.logger.info(
      { snapshotRequest: requestId, action: wish.action, publisher, attempt, ...what },
      'snapshot request',
    );
  }
}

/** Whether the reply comes with the end of the snapshot only, by the address that the registry wrote down. */
const isToWait = ({ wish }: SnapshotMessage, { status }: Snapshot): boolean =>
  wish.action === 'create' && wish.order.reply === 'completed' && status === 'accepted';

const rejection = (requestId: string | null, code: string, message: string): SnapshotReply =>
  rejectedSnapshotReply(requestId, { code, message: message.slice(0, MAX_ERROR_LENGTH) });
