import { type ForeignRequest, RpcClient } from '@glimpse/bus';
import {
  type Snapshot,
  type ServiceError,
  type SnapshotReply,
  type SnapshotReplyAddress,
  isServiceError,
  registrySnapshots,
  rejectedSnapshotReply,
  toSnapshotReply,
} from '@glimpse/contracts';
import { counter, metricNames, runInContext, traceparentFrom } from '@glimpse/observability';
import { Injectable } from '@nestjs/common';
import { GatewaySettings } from '../gateway-settings.js';
import { BrokenMessage } from './broken-message.js';
import { type KeptMessage, CONTEXT_TOKEN, whyNotReplayable } from './kept-message.js';
import { readMessage, whatToTell } from './read-message.js';
import { type SnapshotCaller, SnapshotCallers } from './snapshot-callers.js';
import type { SnapshotMessage } from './snapshot-message.js';
import { type HowTold, SnapshotReplies } from './snapshot-replies.js';

const handled = counter({
  name: metricNames.snapshotRequests,
  help: 'Messages about snapshots, by what became of them.',
  labelNames: ['outcome'],
});

/** A message that took so many gateways with it is not tried again. */
const MAX_REDELIVERIES = 20;
/** Where the reading itself may be what ends gateways, it is not read any more after so many further deliveries. */
const MAX_LAST_READINGS = 3;
/** After so many attempts a failure that nobody foresaw, a mistake of ours, is taken to be there for good. */
const MAX_UNFORESEEN_ATTEMPTS = 8;
/** After so many attempts, two minutes at least, a queue that takes no reply keeps nobody waiting any more. */
const MAX_ATTEMPTS_FOR_REPLY = 8;

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
    if (request.redeliveries >= MAX_REDELIVERIES) return this.giveUpReturned(request);
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
      const reply = toSnapshotReply(snapshot);
      if (!isToWait(message, snapshot))
        await this.reply(request, replyTo, reply, { isAnswer: wish.action !== 'create' });
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
    await this.reply(request, message.replyTo, rejection(message.requestId, code, reason));
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
    const reply = rejection(requestId, 'REQUEST_INVALID', broken.message);
    await this.replyOnce(request, replyTo, reply, { remote });
    await this.bury(request, broken.message, broken.kept);
    return 'broken';
  }

  /** Buried also where it can't be answered now: to be tried again would end further gateways. */
  private async giveUpReturned(request: ForeignRequest): Promise<Outcome> {
    const { logger, config } = this.settings;
    const reason = `It came back ${request.redeliveries} times from gateways that ended with it`;
    const isToBeRead = request.redeliveries < MAX_REDELIVERIES + MAX_LAST_READINGS;
    const { replyTo, requestId, kept } = whatToTell(request, config.snapshots, isToBeRead);
    logger.error(
      { snapshotRequest: requestId, publisher: request.publisher, reason },
      'a snapshot request is given up',
    );
    const reply = rejection(requestId, 'INTERNAL', `The request is given up. ${reason}`);
    await this.replyOnce(request, replyTo, reply);
    await this.bury(request, reason, kept);
    return 'given-up';
  }

  private async giveUp(
    request: ForeignRequest,
    { replyTo, requestId, kept }: SnapshotMessage,
    error: unknown,
  ): Promise<Outcome> {
    this.settings.logger.error({ err: error, snapshotRequest: requestId }, 'a snapshot request is given up');
    await this.replyOnce(request, replyTo, rejection(requestId, 'INTERNAL', UNFORESEEN));
    await this.bury(request, UNFORESEEN, kept);
    return 'given-up';
  }

  /** Rejects where the reply can't be sent now but is to be tried again, with the request. */
  private reply(
    request: ForeignRequest,
    replyTo: SnapshotReplyAddress | null,
    reply: SnapshotReply,
    how: HowTold = {},
  ): Promise<void> {
    if (request.attempt >= MAX_ATTEMPTS_FOR_REPLY) return this.replyOnce(request, replyTo, reply, how);
    return replyTo === null ? Promise.resolve() : this.replies.send(replyTo, reply, how);
  }

  /**
   * Never rejects: what is to become of the request does not depend on who waits for it. Where the connection is what
   * failed the request comes again all the same, for it can't be acknowledged.
   */
  private async replyOnce(
    request: ForeignRequest,
    replyTo: SnapshotReplyAddress | null,
    reply: SnapshotReply,
    how: HowTold = {},
  ): Promise<void> {
    try {
      if (replyTo !== null) await this.replies.send(replyTo, reply, how);
    } catch (err) {
      const { publisher, attempt } = request;
      this.settings.logger.warn(
        { err, snapshotRequest: reply.request_id, publisher, attempt, status: reply.status },
        'the reply to a snapshot request can not be sent, and is given up',
      );
    }
  }

  private bury(request: ForeignRequest, reason: string, { text, lost }: KeptMessage): Promise<void> {
    const isTrusted = this.callers.trusts(request.publisher);
    const missed = isTrusted ? lost.filter((name) => name !== CONTEXT_TOKEN) : lost;
    return request.bury(reason, Buffer.from(text), whyNotReplayable(missed));
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
