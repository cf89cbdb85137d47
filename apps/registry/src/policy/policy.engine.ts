import { type Caller, type Image, ServiceError } from '@glimpse/contracts';
import type { SqlReader } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { type RuleName, type RuleTarget, rules } from './rules.js';

/** Rules apply to callers of a project (or of none at all); others are refused, whatever their roles are. */
const isInScope = (caller: Caller) =>
  caller.systemScope === null && (caller.domainId === null || caller.projectId !== null);

const forbidden = (rule: RuleName) =>
  new ServiceError('ACTION_FORBIDDEN', `You are not authorized to complete ${rule} action.`);

/** The answer for an image that does not exist, and for one that the caller must not know of. */
export const imageNotFound = (id: string) =>
  new ServiceError('IMAGE_NOT_FOUND', `No image found with ID ${id}`);

/** The answer for a namespace that does not exist, and for one that the caller must not know of. */
export const namespaceNotFound = (name?: string) =>
  new ServiceError(
    'NAMESPACE_NOT_FOUND',
    name === undefined
      ? 'The resource could not be found.'
      : `Metadata definition namespace not found: ${name}`,
  );

/** What the rules of metadata definitions look at. */
export interface NamespaceTarget {
  readonly name?: string;
  readonly owner: string | null;
  readonly visibility: 'public' | 'private';
}

type OwnedImage = Pick<Image, 'id' | 'owner' | 'visibility'>;

/** The one place that decides who may do what, and whether a refusal is "forbidden" or "not found". */
@Injectable()
export class PolicyEngine {
  /** Whether the caller is admin of the cloud, for what the rules leave to the services. */
  isAdmin(caller: Caller): boolean {
    return caller.roles.includes('admin');
  }

  allows(rule: RuleName, caller: Caller, target: RuleTarget): boolean {
    return isInScope(caller) && rules[rule](caller, target);
  }

  /** For what is not (yet) an image: creating and listing. Without a target: for what belongs to nobody. */
  enforce(
    rule: RuleName,
    caller: Caller,
    target: Pick<RuleTarget, 'owner' | 'visibility'> = { owner: caller.projectId, visibility: 'private' },
  ): void {
    if (!this.allows(rule, caller, { ...target, isSharedWithCaller: false })) throw forbidden(rule);
  }

  /**
   * For metadata definitions: the namespace that is (or that holds) what the caller asks for, nothing for lists and
   * new namespaces. Refuses with NAMESPACE_NOT_FOUND where the caller must not know of it, else with ACTION_FORBIDDEN.
   */
  enforceOnNamespace(rule: RuleName, caller: Caller, namespace?: NamespaceTarget): void {
    const target = {
      owner: namespace === undefined ? caller.projectId : namespace.owner,
      visibility: namespace?.visibility ?? 'private',
      isSharedWithCaller: false,
    };
    if (this.allows(rule, caller, target)) return;
    throw this.allows('get_metadef_namespace', caller, target)
      ? forbidden(rule)
      : namespaceNotFound(namespace?.name);
  }

  /** Refuses with IMAGE_NOT_FOUND where the caller must not know of the image, else with ACTION_FORBIDDEN. */
  async enforceOnImage(sql: SqlReader, rule: RuleName, caller: Caller, image: OwnedImage): Promise<void> {
    const target = await this.findTarget(sql, caller, image);
    if (target === undefined) throw imageNotFound(image.id);
    if (this.allows(rule, caller, target)) return;
    throw this.allows('get_image', caller, target) ? forbidden(rule) : imageNotFound(image.id);
  }

  /** As `enforceOnImage`, for actions that change the image: only its owner and admins do, whatever a rule says. */
  async enforceOnOwnImage(sql: SqlReader, rule: RuleName, caller: Caller, image: OwnedImage): Promise<void> {
    await this.enforceOnImage(sql, rule, caller, image);
    const isOwner = image.owner !== null && image.owner === caller.projectId;
    if (!isOwner && !this.isAdmin(caller)) throw forbidden(rule);
  }

  /** Whether the caller may know that the image exists. */
  async canSee(sql: SqlReader, caller: Caller, image: OwnedImage): Promise<boolean> {
    return (await this.findTarget(sql, caller, image)) !== undefined;
  }

  /** What the rules look at; undefined where the image is hidden from the caller before any rule is asked. */
  private async findTarget(
    sql: SqlReader,
    caller: Caller,
    image: OwnedImage,
  ): Promise<RuleTarget | undefined> {
    const { owner, visibility } = image;
    const target = { owner, visibility, isSharedWithCaller: false };
    const isOwn = owner !== null && owner === caller.projectId;
    if (visibility === 'shared' && !isOwn) {
      if (await isMemberOf(sql, image.id, caller.projectId)) return { ...target, isSharedWithCaller: true };
    }
    const isOpen = visibility === 'public' || visibility === 'community';
    return this.isAdmin(caller) || isOpen || isOwn || owner === null ? target : undefined;
  }
}

/** Whether the image is shared with the project, in whatever state the membership is. */
async function isMemberOf(sql: SqlReader, imageId: string, projectId: string | null): Promise<boolean> {
  if (projectId === null) return false;
  const rows = await sql.query(
    'SELECT id FROM image_members WHERE image_id = ? AND member = ? AND deleted = 0',
    [imageId, projectId],
  );
  return rows.length > 0;
}
