/** Who calls: two members of different projects, a reader of the first project, a stranger, an admin. */
export const callerNames = ['alice', 'bob', 'reader', 'stranger', 'admin'] as const;
export type CallerName = (typeof callerNames)[number];

export const projectOf = {
  alice: 'p1',
  reader: 'p1',
  bob: 'p2',
  stranger: 'p3',
  admin: 'p9',
} as const satisfies Record<CallerName, string>;

export const visibilities = ['public', 'private', 'shared', 'community'] as const;
export type Visibility = (typeof visibilities)[number];
export const memberStatuses = ['pending', 'accepted', 'rejected'] as const;
export type MemberStatus = (typeof memberStatuses)[number];

/** What an image is, as far as the rules care. */
export interface ModelImage {
  readonly id: string;
  owner: string;
  visibility: Visibility;
  status: 'queued' | 'active' | 'deactivated' | 'deleted';
  isProtected: boolean;
  isHidden: boolean;
  diskFormat: string;
  readonly properties: Map<string, string>;
  tags: Set<string>;
  /** Also while the image is not shared. */
  readonly members: Map<string, MemberStatus>;
  data: string | undefined;
}

const isAdmin = (by: CallerName) => by === 'admin';
/** Holds the role `member`; everybody holds `reader`. */
export const isMemberRole = (by: CallerName) => by !== 'reader';
const owns = (by: CallerName, image: ModelImage) => projectOf[by] === image.owner;
const isSharee = (by: CallerName, image: ModelImage) =>
  !owns(by, image) && image.visibility === 'shared' && image.members.has(projectOf[by]);

/** Whether the caller may know of the image (spec/api-images.md section 4.2). */
export const sees = (by: CallerName, image: ModelImage): boolean =>
  image.status !== 'deleted' &&
  (isAdmin(by) ||
    owns(by, image) ||
    isSharee(by, image) ||
    image.visibility === 'public' ||
    image.visibility === 'community');

/** Whether the caller may change the image. */
export const governs = (by: CallerName, image: ModelImage): boolean =>
  isAdmin(by) || (isMemberRole(by) && owns(by, image));

export const mayPublishAs = (by: CallerName, visibility: Visibility): boolean =>
  visibility !== 'public' || isAdmin(by);

export const mayReadData = (by: CallerName, image: ModelImage): boolean =>
  isMemberRole(by) && (image.status !== 'deactivated' || isAdmin(by));

/** Whether the caller decides what becomes of the membership: a member itself, never the owner. */
export const mayAnswerFor = (by: CallerName, image: ModelImage): boolean =>
  isAdmin(by) || (isMemberRole(by) && isSharee(by, image));

/** Whether the caller may know that the project is a member. */
export const seesMember = (by: CallerName, image: ModelImage, project: string): boolean =>
  isAdmin(by) || owns(by, image) || project === projectOf[by];

export const seesMembers = (by: CallerName, image: ModelImage): boolean =>
  isAdmin(by) || owns(by, image) || isSharee(by, image);

export interface ListFilter {
  readonly visibility?: Visibility | 'all';
  readonly memberStatus?: MemberStatus | 'all';
  readonly isHidden?: boolean;
  readonly tag?: string;
  readonly status?: 'queued' | 'active' | 'deactivated';
}

/** Whether the image is on the caller's list (spec/api-images.md sections 5.3 and 5.4). */
export function isListed(by: CallerName, image: ModelImage, filter: ListFilter): boolean {
  if (image.status === 'deleted') return false;
  if (image.isHidden !== (filter.isHidden ?? false)) return false;
  if (filter.tag !== undefined && !image.tags.has(filter.tag)) return false;
  if (filter.status !== undefined && image.status !== filter.status) return false;
  const { visibility } = filter;
  if (visibility !== undefined && visibility !== 'all' && image.visibility !== visibility) return false;
  if (owns(by, image)) return true;
  if (image.visibility === 'community') return visibility !== undefined;
  if (isAdmin(by) || image.visibility === 'public') return true;
  const wanted = filter.memberStatus ?? 'accepted';
  return isSharee(by, image) && (wanted === 'all' || image.members.get(projectOf[by]) === wanted);
}
