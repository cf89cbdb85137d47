import {
  type Caller,
  type ImageMember,
  MAX_TEXT_LENGTH,
  MemberStatus,
  ServiceError,
  isServiceError,
  isStorableText,
  memberEvents,
  memberStatuses,
} from '@glimpse/contracts';
import { Database, type SqlReader, type Transaction, fromDatabaseTime } from '@glimpse/persistence';
import type { RuleName } from '@glimpse/policy';
import { Injectable } from '@nestjs/common';
import type { AuditedAction } from '../audit/audit-record.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { Clock } from '../clock.js';
import { HeldImages } from '../images/held-images.js';
import { ImageReader } from '../images/image-reader.js';
import { checkQuota } from '../images/image-values.js';
import type { StoredImage } from '../images/stored-image.js';
import { OutboxWriter } from '../outbox/outbox.writer.js';
import { PolicyRefusal } from '../policy/policy-refusal.js';
import { PolicyEngine, imageNotFound } from '../policy/policy.engine.js';
import { RegistrySettings } from '../registry-settings.js';
import { MembersRepository } from './members.repository.js';

const memberNotFound = (imageId: string, memberId: string) =>
  new ServiceError('MEMBER_NOT_FOUND', `${memberId} not found in the member list of the image ${imageId}.`);

interface MemberChange {
  readonly event: (typeof memberEvents)[keyof typeof memberEvents];
  readonly action: AuditedAction['action'];
  readonly member: ImageMember;
}

/** With whom an image is shared (spec/api-images.md section 8.2). */
@Injectable()
export class MembersService {
  constructor(
    private readonly database: Database,
    private readonly reader: ImageReader,
    private readonly held: HeldImages,
    private readonly repository: MembersRepository,
    private readonly policy: PolicyEngine,
    private readonly outbox: OutboxWriter,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: RegistrySettings,
  ) {}

  async add(ctx: Caller, id: string, memberId: string): Promise<ImageMember> {
    if (memberId === '' || memberId.length > MAX_TEXT_LENGTH || !isStorableText(memberId))
      throw new ServiceError(
        'REQUEST_INVALID',
        `A member's id has 1 to ${MAX_TEXT_LENGTH} characters of the Basic Multilingual Plane.`,
      );
    return this.database.unitOfWork.run(async (tx) => {
      const { image } = await this.holdShared(tx, ctx, id, 'add_member');
      const now = this.clock.databaseNow();
      const members = await this.repository.findAll(tx, image.id);
      if (!(await this.repository.add(tx, image.id, memberId, now)))
        throw new ServiceError(
          'MEMBER_DUPLICATE',
          `The target member ${memberId} is already associated with image ${image.id}.`,
        );
      checkQuota('members', members.length + 1, this.settings.config.limits.memberQuota);
      const member = await this.repository.find(tx, image.id, memberId);
      if (member === undefined) throw memberNotFound(image.id, memberId);
      return this.announce(tx, ctx, { event: memberEvents.created, action: 'create', member });
    });
  }

  /** All members for the owner and admins; a member sees itself. */
  async list(ctx: Caller, id: string): Promise<ImageMember[]> {
    const { image } = await this.findShared(ctx, id, 'get_members');
    const members = await this.repository.findAll(this.database, image.id);
    return members.filter((member) => this.mayKnow(ctx, image.owner, member.memberId));
  }

  async get(ctx: Caller, id: string, memberId: string): Promise<ImageMember> {
    try {
      const { image } = await this.findShared(ctx, id, 'get_member');
      return await this.findMember(this.database, ctx, image, memberId);
    } catch (error) {
      // Whoever may not see a member does not learn whether there is one.
      if (!isServiceError(error, 'ACTION_FORBIDDEN')) throw error;
      const { code, message } = memberNotFound(id, memberId);
      if (error instanceof PolicyRefusal) throw new PolicyRefusal(code, message, error.rule, error.targetId);
      throw new ServiceError(code, message);
    }
  }

  /** What the member makes of it. The owner has no say in that. */
  setStatus(ctx: Caller, id: string, memberId: string, status: string): Promise<ImageMember> {
    return this.database.unitOfWork.run(async (tx) => {
      const { image } = await this.holdShared(tx, ctx, id, 'modify_member');
      const member = await this.findMember(tx, ctx, image, memberId);
      const known = MemberStatus.safeParse(status);
      if (!known.success)
        throw new ServiceError(
          'REQUEST_INVALID',
          `The status of a member is one of ${memberStatuses.join(', ')}.`,
        );
      const now = this.clock.databaseNow();
      await this.repository.setStatus(tx, member, known.data, now);
      const changed = { ...member, status: known.data, updatedAt: fromDatabaseTime(now) };
      return this.announce(tx, ctx, { event: memberEvents.updated, action: 'update', member: changed });
    });
  }

  async remove(ctx: Caller, id: string, memberId: string): Promise<void> {
    await this.database.unitOfWork.run(async (tx) => {
      const { image } = await this.holdShared(tx, ctx, id, 'delete_member');
      const member = await this.findMember(tx, ctx, image, memberId);
      await this.repository.remove(tx, member, this.clock.databaseNow());
      await this.announce(tx, ctx, { event: memberEvents.deleted, action: 'delete', member });
    });
  }

  private async findShared(ctx: Caller, id: string, rule: RuleName): Promise<StoredImage> {
    const stored = await this.reader.find(id);
    if (stored === undefined) throw imageNotFound(id);
    return this.checkShared(this.database, ctx, stored, rule);
  }

  /** The image, whose members no other transaction changes before this one has ended. */
  private async holdShared(tx: Transaction, ctx: Caller, id: string, rule: RuleName): Promise<StoredImage> {
    return this.checkShared(tx, ctx, await this.held.hold(tx, id), rule);
  }

  /** Glance looks at the visibility before it asks the rule. */
  private async checkShared(
    sql: SqlReader,
    ctx: Caller,
    stored: StoredImage,
    rule: RuleName,
  ): Promise<StoredImage> {
    const { image } = stored;
    await this.policy.enforceVisible(sql, rule, ctx, image);
    if (image.visibility !== 'shared')
      throw new ServiceError('ACTION_FORBIDDEN', 'Only shared images have members.');
    await this.policy.enforceOnImage(sql, rule, ctx, image);
    return stored;
  }

  private async findMember(
    sql: SqlReader,
    ctx: Caller,
    image: StoredImage['image'],
    memberId: string,
  ): Promise<ImageMember> {
    const isKnown = this.mayKnow(ctx, image.owner, memberId);
    const member = isKnown ? await this.repository.find(sql, image.id, memberId) : undefined;
    if (member === undefined) throw memberNotFound(image.id, memberId);
    return member;
  }

  /** Beside the rules: nobody but the owner and admins gets to know of other members. */
  private mayKnow(ctx: Caller, owner: string | null, memberId: string): boolean {
    const isOwner = owner !== null && owner === ctx.projectId;
    return isOwner || memberId === ctx.projectId || this.policy.isAdmin(ctx);
  }

  private async announce(
    tx: Transaction,
    ctx: Caller,
    { event, action, member }: MemberChange,
  ): Promise<ImageMember> {
    await this.outbox.write(tx, event, member.imageId, { member });
    await this.audit.changed(tx, ctx, { action, on: 'member', id: `${member.imageId}/${member.memberId}` });
    return member;
  }
}
