import type { Caller, Visibility } from '@glimpse/contracts';
import { type RuleName, ruleNames } from '@glimpse/policy';

export type { RuleName };

/** What a rule looks at. */
export interface RuleTarget {
  /** The project that owns it. */
  readonly owner: string | null;
  readonly visibility: Visibility;
  /** Another project's image that is shared with the caller's. */
  readonly isSharedWithCaller: boolean;
}

type Rule = (caller: Caller, target: RuleTarget) => boolean;

const hasRole =
  (role: string): Rule =>
  (caller) =>
    caller.roles.includes(role);
const isAdmin = hasRole('admin');
const isMember = hasRole('member');
const isReader = hasRole('reader');

/** Two missing projects are the same one, as in oslo.policy. */
const ownsIt: Rule = (caller, target) => caller.projectId === target.owner;
const mayKnowIt: Rule = (caller, target) =>
  ownsIt(caller, target) || target.isSharedWithCaller || target.visibility !== 'private';

const adminOrOwningMember: Rule = (caller, target) =>
  isAdmin(caller, target) || (isMember(caller, target) && ownsIt(caller, target));

/** The default rules (spec/policy.md section 2), by Glance's names. */
const ownRules = {
  add_image: adminOrOwningMember,
  delete_image: adminOrOwningMember,
  get_image: (caller, target) =>
    isAdmin(caller, target) || (isReader(caller, target) && mayKnowIt(caller, target)),
  get_images: (caller, target) =>
    isAdmin(caller, target) || (isReader(caller, target) && ownsIt(caller, target)),
  modify_image: adminOrOwningMember,
  publicize_image: isAdmin,
  communitize_image: adminOrOwningMember,
  download_image: (caller, target) =>
    isAdmin(caller, target) || (isMember(caller, target) && mayKnowIt(caller, target)),
  upload_image: adminOrOwningMember,
} as const satisfies Record<string, Rule>;

export const rules: Readonly<Record<RuleName, Rule>> = Object.assign(
  Object.fromEntries(ruleNames.map((name) => [name, isAdmin])),
  ownRules,
) as unknown as Record<RuleName, Rule>;
