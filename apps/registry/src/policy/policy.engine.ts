import { type Caller, ServiceError } from '@glimpse/contracts';
import { Policy, type PolicyTarget, type RuleName, allRules, noTarget } from '@glimpse/policy';
import { type SqlReader, exactly, placeholders } from '@glimpse/persistence';
import { Injectable } from '@nestjs/common';
import { PolicyRefusal } from './policy-refusal.js';
import { type ResourceTarget, type TargetImage, imageTarget, resourceTarget } from './policy-targets.js';

/** What the rules of metadata definitions look at. */
export interface NamespaceTarget {
  readonly name?: string;
  readonly owner: string | null;
  readonly visibility: 'public' | 'private';
}

const notFoundText = (id: string) => `No image found with ID ${id}`;
const namespaceNotFoundText = (name: string | undefined) =>
  name === undefined
    ? 'The resource could not be found.'
    : `Metadata definition namespace not found: ${name}`;

/** The answer for an image that does not exist, and for one that the caller must not know of. */
export const imageNotFound = (id: string) => new ServiceError('IMAGE_NOT_FOUND', notFoundText(id));

/** The answer for a namespace that does not exist, and for one that the caller must not know of. */
export const namespaceNotFound = (name?: string) =>
  new ServiceError('NAMESPACE_NOT_FOUND', namespaceNotFoundText(name));

const forbidden = (rule: RuleName, targetId?: string) =>
  new PolicyRefusal('ACTION_FORBIDDEN', `You are not authorized to complete ${rule} action.`, rule, targetId);
const imageHidden = (rule: RuleName, id: string) =>
  new PolicyRefusal('IMAGE_NOT_FOUND', notFoundText(id), rule, id);

/** The answer where the caller must not know of the namespace, before any rule is asked. */
export const namespaceHidden = (rule: RuleName, name?: string) =>
  new PolicyRefusal('NAMESPACE_NOT_FOUND', namespaceNotFoundText(name), rule, name);

const isChange = (rule: RuleName): boolean => {
  const { operation } = allRules[rule];
  return operation !== undefined && operation.action !== 'read';
};

const ownsIt = (caller: Caller, { owner }: Pick<TargetImage, 'owner'>) =>
  owner !== null && owner === caller.projectId;

/** The one place that decides who may do what, and whether a refusal is "forbidden" or "not found". */
@Injectable()
export class PolicyEngine {
  private policy = new Policy();

  /** From now on these rules count. */
  use(policy: Policy): void {
    this.policy = policy;
  }

  /** Whether the caller is admin of the cloud, for what the rules leave to the services. */
  isAdmin(caller: Caller): boolean {
    return this.policy.allows('context_is_admin', caller);
  }

  /** Whether a rule holds that is not Glimpse's own, such as the operator's for a property. */
  satisfies(rule: string, caller: Caller): boolean {
    return this.policy.allows(rule, caller);
  }

  /** Whether the caller may, where the answer is no error. Without a target: for what has no owner. */
  allows(rule: RuleName, caller: Caller, target?: ResourceTarget): boolean {
    return this.decide(rule, caller, target === undefined ? noTarget : resourceTarget(target));
  }

  /** For what is not (yet) an image: creating and listing; without a target for what has no owner (cache, tasks). */
  enforce(rule: RuleName, caller: Caller, target?: ResourceTarget): void {
    refuseChange(rule, caller);
    if (!this.allows(rule, caller, target)) throw forbidden(rule);
  }

  /**
   * For metadata definitions: the namespace that is (or that holds) what the caller asks for, nothing for lists and
   * new namespaces. Refuses with NAMESPACE_NOT_FOUND where the caller must not know of it, else with ACTION_FORBIDDEN.
   */
  enforceOnNamespace(rule: RuleName, caller: Caller, namespace?: NamespaceTarget): void {
    refuseChange(rule, caller, namespace?.name);
    if (this.allowsOnNamespace(rule, caller, namespace)) return;
    if (
      rule !== 'get_metadef_namespace' &&
      this.allowsOnNamespace('get_metadef_namespace', caller, namespace)
    )
      throw forbidden(rule, namespace?.name);
    throw namespaceHidden(rule, namespace?.name);
  }

  /** As `enforceOnNamespace`, for items of a list, which are dropped. */
  allowsOnNamespace(rule: RuleName, caller: Caller, namespace?: NamespaceTarget): boolean {
    const target: PolicyTarget =
      namespace === undefined
        ? (name) => (name === 'project_id' ? caller.projectId : undefined)
        : resourceTarget(namespace);
    return this.decide(rule, caller, target);
  }

  /** Refuses with IMAGE_NOT_FOUND where the caller must not know of the image, else with ACTION_FORBIDDEN. */
  async enforceOnImage(sql: SqlReader, rule: RuleName, caller: Caller, image: TargetImage): Promise<void> {
    refuseChange(rule, caller, image.id);
    const target = await this.findTarget(sql, caller, image);
    if (target === undefined) throw imageHidden(rule, image.id);
    if (this.decide(rule, caller, target)) return;
    throw this.decide('get_image', caller, target) ? forbidden(rule, image.id) : imageHidden(rule, image.id);
  }

  /** As `enforceOnImage`, for actions that change the image: only its owner and admins do, whatever a rule says. */
  async enforceOnOwnImage(sql: SqlReader, rule: RuleName, caller: Caller, image: TargetImage): Promise<void> {
    await this.enforceOnImage(sql, rule, caller, image);
    if (!ownsIt(caller, image) && !this.isAdmin(caller)) throw forbidden(rule, image.id);
  }

  /**
   * As the beginning of `enforceOnImage`, for what looks at the image before it asks the rule: refuses with
   * IMAGE_NOT_FOUND where the caller must not know of it.
   */
  async enforceVisible(sql: SqlReader, rule: RuleName, caller: Caller, image: TargetImage): Promise<void> {
    refuseChange(rule, caller, image.id);
    if (!(await this.canSee(sql, caller, image))) throw imageHidden(rule, image.id);
  }

  /** Whether the caller may know that the image exists. */
  async canSee(sql: SqlReader, caller: Caller, image: TargetImage): Promise<boolean> {
    return (await this.findTarget(sql, caller, image)) !== undefined;
  }

  /** Those of the images that the rule allows, in their order, in one query however many there are. */
  async filterImages<I extends TargetImage>(
    sql: SqlReader,
    rule: RuleName,
    caller: Caller,
    images: readonly I[],
  ): Promise<I[]> {
    const shared = await sharedWith(sql, caller, images);
    return images.filter((image) => {
      const target = this.targetOf(caller, image, shared);
      return target !== undefined && this.decide(rule, caller, target);
    });
  }

  private decide(rule: RuleName, caller: Caller, target: PolicyTarget): boolean {
    return !(caller.isReadOnly === true && isChange(rule)) && this.policy.allows(rule, caller, target);
  }

  private async findTarget(
    sql: SqlReader,
    caller: Caller,
    image: TargetImage,
  ): Promise<PolicyTarget | undefined> {
    return this.targetOf(caller, image, await sharedWith(sql, caller, [image]));
  }

  /** What the rules look at; undefined where the image is hidden from the caller before any rule is asked. */
  private targetOf(
    caller: Caller,
    image: TargetImage,
    shared: ReadonlySet<string>,
  ): PolicyTarget | undefined {
    const { owner, visibility } = image;
    if (shared.has(image.id)) return imageTarget(image, caller.projectId);
    const isOpen = visibility === 'public' || visibility === 'community';
    const isVisible = this.isAdmin(caller) || isOpen || ownsIt(caller, image) || owner === null;
    return isVisible ? imageTarget(image, caller.projectId === null ? undefined : null) : undefined;
  }
}

/** Nobody in particular changes nothing, wherever it may be (spec/policy.md section 5). */
function refuseChange(rule: RuleName, caller: Caller, targetId?: string): void {
  if (caller.isReadOnly === true && isChange(rule))
    throw new PolicyRefusal('ACTION_FORBIDDEN', 'Read-only access', rule, targetId);
}

/** Those of the images, by their ids, that other projects share with the caller's, in whatever state the membership is. */
async function sharedWith(
  sql: SqlReader,
  caller: Caller,
  images: readonly TargetImage[],
): Promise<ReadonlySet<string>> {
  const { projectId } = caller;
  const ids = images
    .filter((image) => image.visibility === 'shared' && !ownsIt(caller, image))
    .map(({ id }) => id);
  if (projectId === null || ids.length === 0) return new Set();
  const member = exactly('member', projectId);
  const rows = await sql.query<{ image_id: string }>(
    `SELECT image_id FROM image_members WHERE ${member.sql} AND deleted = 0 AND image_id IN (${placeholders(ids)})`,
    [...member.values, ...ids],
  );
  return new Set(rows.map(({ image_id: id }) => id));
}
