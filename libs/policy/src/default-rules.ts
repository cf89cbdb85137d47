/** What an operation works on, for the audit trail. */
export type RuleResource =
  'image' | 'data' | 'member' | 'location' | 'task' | 'metadef' | 'cache' | 'store' | 'webhook';

/** What an operation does, in CADF's words; everything but `read` is a change. */
export type RuleAction = 'create' | 'read' | 'update' | 'delete' | 'enable' | 'disable';

export interface DefaultRule {
  /** In the rule language; an operator's file may say otherwise. */
  readonly check: string;
  /** Which requests ask it. */
  readonly guards: string;
  /** Absent for the helper rules, which no request asks and which therefore have no scope. */
  readonly operation?: { readonly action: RuleAction; readonly on: RuleResource };
}

const ADMIN = 'rule:context_is_admin';
const OWN = 'project_id:%(project_id)s';
const SHARED_WITH_CALLER = 'project_id:%(member_id)s';
const COMMUNITY = "'community':%(visibility)s";
const PUBLIC = "'public':%(visibility)s";
const SHARED = "'shared':%(visibility)s";

const OWNING_MEMBER = `${ADMIN} or (role:member and ${OWN})`;
const OWNING_READER = `${ADMIN} or (role:reader and ${OWN})`;
const KNOWN_IMAGE = `(${OWN} or ${SHARED_WITH_CALLER} or ${COMMUNITY} or ${PUBLIC} or ${SHARED})`;
const DOWNLOAD = `${ADMIN} or (role:member and ${KNOWN_IMAGE})`;
const SEES_MEMBERS = `${ADMIN} or (role:reader and (${OWN} or ${SHARED_WITH_CALLER}))`;
const SEES_METADEF = `${ADMIN} or (role:reader and (${OWN} or ${PUBLIC}))`;
const METADEF_ADMIN = 'rule:metadef_admin';

const helper = (check: string, guards: string): DefaultRule => ({ check, guards });
const on =
  (resource: RuleResource) =>
  (action: RuleAction, check: string, guards: string): DefaultRule => ({
    check,
    guards,
    operation: { action, on: resource },
  });
const image = on('image');
const data = on('data');
const member = on('member');
const location = on('location');
const task = on('task');
const metadef = on('metadef');
const cache = on('cache');
const store = on('store');
const webhook = on('webhook');

/** All rules by Glance's names, with Glance's defaults and in its order (policy.md of the specification, section 2). */
const defaultRules = {
  default: helper('', 'nothing of its own; other rules refer to it'),
  context_is_admin: helper('role:admin', 'who is admin of the cloud'),
  service_api: helper('role:service or role:admin', 'who is another service'),

  add_image: image('create', `${ADMIN} or (role:member and ${OWN} and project_id:%(owner)s)`, 'POST images'),
  delete_image: image('delete', OWNING_MEMBER, 'DELETE image'),
  get_image: image(
    'read',
    `${ADMIN} or (role:reader and ${KNOWN_IMAGE})`,
    'GET image, every item of a list; decides between 404 and 403 where another rule refuses',
  ),
  get_images: image('read', OWNING_READER, 'GET images'),
  modify_image: image('update', OWNING_MEMBER, 'PATCH image, tags, stage, import (except copy-image)'),
  publicize_image: image('update', ADMIN, 'visibility public, at creation and by PATCH'),
  communitize_image: image('update', OWNING_MEMBER, 'visibility community, at creation and by PATCH'),
  download_image: data('read', DOWNLOAD, 'GET file, also from the cache'),
  download_from_store: data('read', DOWNLOAD, 'GET file with the query parameter `prefer`'),
  upload_image: data('update', OWNING_MEMBER, 'PUT file'),

  delete_image_location: location('delete', ADMIN, 'PATCH that removes a location, DELETE stores/…'),
  get_image_location: location('read', OWNING_READER, 'prerequisite of DELETE stores/…'),
  set_image_location: location('update', OWNING_MEMBER, 'PATCH that adds or replaces a location'),
  add_image_location: location(
    'create',
    `rule:service_api or (role:member and ${OWN} and project_id:%(owner)s)`,
    'POST locations',
  ),
  fetch_image_location: location('read', 'rule:service_api', 'GET locations'),

  add_member: member('create', OWNING_MEMBER, 'POST members'),
  delete_member: member('delete', OWNING_MEMBER, 'DELETE member'),
  get_member: member('read', SEES_MEMBERS, 'GET member, every item of a list'),
  get_members: member('read', SEES_MEMBERS, 'GET members'),
  modify_member: member(
    'update',
    `${ADMIN} or (role:member and ${SHARED_WITH_CALLER})`,
    'PUT member (not for the owner)',
  ),

  manage_image_cache: cache('update', ADMIN, 'the old routes of the cache'),
  deactivate: image('disable', OWNING_MEMBER, 'POST actions/deactivate'),
  reactivate: image('enable', OWNING_MEMBER, 'POST actions/reactivate'),
  copy_image: image('update', ADMIN, 'POST import with the method copy-image'),
  list_cached_nodes: cache('read', ADMIN, 'GET cache/nodes/{id}'),

  get_task: task('read', 'rule:default', 'GET task, after tasks_api_access'),
  get_tasks: task('read', 'rule:default', 'GET tasks, after tasks_api_access'),
  add_task: task('create', 'rule:default', 'POST tasks, after tasks_api_access'),
  modify_task: task('update', 'rule:default', 'nothing; kept because files name it'),
  tasks_api_access: task('read', ADMIN, 'every call of /v2/tasks'),

  metadef_default: helper('', 'nothing of its own; other rules may refer to it'),
  metadef_admin: helper(ADMIN, 'who may change metadata definitions'),
  get_metadef_namespace: metadef(
    'read',
    SEES_METADEF,
    'GET namespace; decides between 404 and 403 where another metadef rule refuses',
  ),
  get_metadef_namespaces: metadef('read', OWNING_READER, 'GET namespaces'),
  modify_metadef_namespace: metadef('update', METADEF_ADMIN, 'PUT namespace'),
  add_metadef_namespace: metadef('create', METADEF_ADMIN, 'POST namespaces'),
  delete_metadef_namespace: metadef(
    'delete',
    METADEF_ADMIN,
    'DELETE namespace, DELETE of all its objects, properties or tags',
  ),
  get_metadef_object: metadef('read', SEES_METADEF, 'GET object'),
  get_metadef_objects: metadef('read', SEES_METADEF, 'GET objects'),
  modify_metadef_object: metadef('update', METADEF_ADMIN, 'PUT object'),
  add_metadef_object: metadef('create', METADEF_ADMIN, 'POST objects, also within a new namespace'),
  delete_metadef_object: metadef('delete', METADEF_ADMIN, 'DELETE object'),
  list_metadef_resource_types: metadef(
    'read',
    SEES_METADEF,
    'GET resource_types; prerequisite of GET namespaces and GET namespace',
  ),
  get_metadef_resource_type: metadef('read', SEES_METADEF, 'GET resource_types of a namespace, every item'),
  add_metadef_resource_type_association: metadef('create', METADEF_ADMIN, 'POST resource_types'),
  remove_metadef_resource_type_association: metadef('delete', METADEF_ADMIN, 'DELETE resource_types/{name}'),
  get_metadef_property: metadef('read', SEES_METADEF, 'GET property'),
  get_metadef_properties: metadef('read', SEES_METADEF, 'GET properties'),
  modify_metadef_property: metadef('update', METADEF_ADMIN, 'PUT property'),
  add_metadef_property: metadef('create', METADEF_ADMIN, 'POST properties, also within a new namespace'),
  remove_metadef_property: metadef('delete', METADEF_ADMIN, 'DELETE property'),
  get_metadef_tag: metadef('read', SEES_METADEF, 'GET tag'),
  get_metadef_tags: metadef('read', SEES_METADEF, 'GET tags'),
  modify_metadef_tag: metadef('update', METADEF_ADMIN, 'PUT tag'),
  add_metadef_tag: metadef('create', METADEF_ADMIN, 'POST tags/{name}, also within a new namespace'),
  add_metadef_tags: metadef('create', METADEF_ADMIN, 'POST tags'),
  delete_metadef_tag: metadef('delete', METADEF_ADMIN, 'DELETE tag'),
  delete_metadef_tags: metadef(
    'delete',
    METADEF_ADMIN,
    'DELETE tags, in addition to delete_metadef_namespace',
  ),

  cache_image: cache('create', ADMIN, 'PUT cache/{id}'),
  cache_list: cache('read', ADMIN, 'GET cache'),
  cache_delete: cache('delete', ADMIN, 'DELETE cache, DELETE cache/{id}'),
  cache_clean: cache('update', ADMIN, 'POST cache/clean'),
  cache_prune: cache('update', ADMIN, 'POST cache/prune'),
  stores_info_detail: store('read', `${ADMIN} or rule:service_api`, 'GET info/stores/detail'),
} as const satisfies Record<string, DefaultRule>;

/** Rules for what Glance does not have. A file that was written for Glance says nothing of them. */
const ownRules = {
  add_snapshot: image('create', OWNING_MEMBER, 'snapshot.create, a message of compute; then as POST images'),
  add_webhook: webhook('create', OWNING_MEMBER, 'POST webhooks'),
  get_webhook: webhook('read', OWNING_READER, 'GET webhook, and its deliveries'),
  get_webhooks: webhook('read', OWNING_READER, 'GET webhooks'),
  modify_webhook: webhook(
    'update',
    OWNING_MEMBER,
    'PATCH webhook, a new secret, a test, another attempt at a delivery',
  ),
  delete_webhook: webhook('delete', OWNING_MEMBER, 'DELETE webhook'),
} as const satisfies Record<string, DefaultRule>;

/** The name of a rule that Glimpse asks, or that others of its rules refer to. */
export type RuleName = keyof typeof defaultRules | keyof typeof ownRules;

/** Every rule with its default, Glance's first. */
export const allRules: Readonly<Record<RuleName, DefaultRule>> = { ...defaultRules, ...ownRules };

/** Every rule, in the order of the documentation. */
export const ruleNames = Object.keys(allRules) as RuleName[];
