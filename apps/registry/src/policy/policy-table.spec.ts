import { type Caller, isServiceError } from '@glimpse/contracts';
import type { SqlReader } from '@glimpse/persistence';
import { type RuleName, allRules, ruleNames } from '@glimpse/policy';
import { describe, expect, it } from '@jest/globals';
import { PolicyEngine } from './policy.engine.js';

const aCaller = (projectId: string | null, ...roles: string[]): Caller => ({
  requestId: 'req-1',
  userId: 'u',
  projectId,
  domainId: null,
  systemScope: null,
  roles,
  serviceRoles: [],
});

/** The columns of the tables below. What is asked for belongs to p1. */
const callers = {
  admin: aCaller('p9', 'admin', 'member', 'reader'),
  member: aCaller('p1', 'member', 'reader'),
  reader: aCaller('p1', 'reader'),
  stranger: aCaller('p2', 'member', 'reader'),
  nobody: aCaller('p3'),
};
const OUTCOMES: Readonly<Record<string, string>> = {
  ACTION_FORBIDDEN: '403',
  IMAGE_NOT_FOUND: '404',
  NAMESPACE_NOT_FOUND: '404',
};

const policy = new PolicyEngine();
/** p1 shares with p2. */
const members: SqlReader = {
  query: <Row extends object>(_: string, values: readonly unknown[] = []) =>
    Promise.resolve(values[0] === 'p2' ? [{ image_id: 'i' } as Row] : []),
};
type Ask = (rule: RuleName, caller: Caller) => Promise<void> | void;
const onImage =
  (visibility: 'private' | 'shared' | 'community' | 'public', owner: string | null = 'p1'): Ask =>
  (rule, caller) =>
    policy.enforceOnImage(members, rule, caller, { id: 'i', owner, visibility });
const onOwnImage =
  (visibility: 'private' | 'shared' | 'public', owner: string | null = 'p1'): Ask =>
  (rule, caller) =>
    policy.enforceOnOwnImage(members, rule, caller, { id: 'i', owner, visibility });
const onNamespace =
  (visibility: 'private' | 'public'): Ask =>
  (rule, caller) => {
    policy.enforceOnNamespace(rule, caller, { name: 'ns', owner: 'p1', visibility });
  };
const onNoNamespace: Ask = (rule, caller) => {
  policy.enforceOnNamespace(rule, caller);
};
const onNothing: Ask = (rule, caller) => {
  policy.enforce(rule, caller);
};
const inOwnProject: Ask = (rule, caller) => {
  policy.enforce(rule, caller, { owner: caller.projectId, visibility: 'private' });
};
const inProject1: Ask = (rule, caller) => {
  policy.enforce(rule, caller, { owner: 'p1', visibility: 'private' });
};

async function outcome(ask: Ask, rule: RuleName, caller: Caller): Promise<string> {
  try {
    await ask(rule, caller);
    return 'yes';
  } catch (error) {
    if (!isServiceError(error)) throw error;
    return OUTCOMES[error.code] ?? error.code;
  }
}

type TableRow = readonly [names: string, asked: string, ask: Ask, outcomes: string];

// By the specification (policy.md sections 2 and 3), not by the code.
const rows: readonly TableRow[] = [
  //                                                             admin member reader stranger nobody
  ['add_image', 'for p1', inProject1, '                           yes   yes    403    403      403'],
  ['get_images', 'of the own project', inOwnProject, '            yes   yes    yes    yes      403'],
  ['publicize_image', 'of p1', inProject1, '                      yes   403    403    403      403'],
  ['communitize_image', 'of p1', inProject1, '                    yes   yes    403    403      403'],

  ['get_image', 'a private image', onImage('private'), '          yes   yes    yes    404      404'],
  ['get_image', 'a shared image', onImage('shared'), '            yes   yes    yes    yes      404'],
  ['get_image', 'a community image', onImage('community'), '      yes   yes    yes    yes      404'],
  ['get_image', 'a public image', onImage('public'), '            yes   yes    yes    yes      404'],
  ['get_image', 'a private one of nobody', onImage('private', null), 'yes 404  404    404      404'],
  ['get_image', 'a shared one of nobody', onImage('shared', null), 'yes yes    yes    yes      404'],

  ['download_image download_from_store', 'private', onImage('private'), 'yes yes 403  404      404'],
  ['download_image download_from_store', 'shared', onImage('shared'), 'yes  yes  403  yes      404'],
  ['download_image download_from_store', 'public', onImage('public'), 'yes  yes  403  yes      404'],

  [
    'delete_image modify_image upload_image deactivate reactivate set_image_location',
    'a private image',
    onOwnImage('private'),
    '                                                             yes   yes    403    404      404',
  ],
  [
    'delete_image modify_image upload_image deactivate reactivate set_image_location',
    'a shared image',
    onOwnImage('shared'),
    '                                                             yes   yes    403    403      404',
  ],
  [
    'delete_image modify_image upload_image deactivate reactivate set_image_location',
    'a public image',
    onOwnImage('public'),
    '                                                             yes   yes    403    403      404',
  ],
  [
    'delete_image modify_image upload_image deactivate reactivate set_image_location',
    'a public image of nobody',
    onOwnImage('public', null),
    '                                                             yes   403    403    403      404',
  ],
  ['copy_image delete_image_location', 'private', onOwnImage('private'), 'yes 403 403 404      404'],
  ['copy_image delete_image_location', 'public', onOwnImage('public'), 'yes   403 403 403      404'],
  ['get_image_location', 'a private image', onImage('private'), ' yes   yes    yes    404      404'],
  ['get_image_location', 'a public image', onImage('public'), '   yes   yes    yes    403      404'],
  ['add_image_location', 'a private image', onImage('private'), ' yes   yes    403    404      404'],
  ['add_image_location', 'a public image', onImage('public'), '   yes   yes    403    403      404'],
  ['fetch_image_location', 'a private image', onImage('private'), 'yes  403    403    404      404'],
  ['fetch_image_location', 'a public image', onImage('public'), ' yes   403    403    403      404'],

  ['add_member delete_member', 'a private image', onOwnImage('private'), 'yes yes 403 404      404'],
  ['add_member delete_member', 'a shared image', onOwnImage('shared'), 'yes   yes 403 403      404'],
  ['get_member get_members', 'a private image', onImage('private'), 'yes yes   yes    404      404'],
  ['get_member get_members', 'a shared image', onImage('shared'), 'yes yes     yes    yes      404'],
  ['get_member get_members', 'a public image', onImage('public'), 'yes yes     yes    403      404'],
  ['modify_member', 'a private image', onImage('private'), '      yes   403    403    404      404'],
  ['modify_member', 'a shared image', onImage('shared'), '        yes   403    403    yes      404'],

  [
    'manage_image_cache list_cached_nodes cache_image cache_list cache_delete cache_clean cache_prune',
    'nothing',
    onNothing,
    '                                                             yes   403    403    403      403',
  ],
  ['tasks_api_access stores_info_detail', 'nothing', onNothing, ' yes   403    403    403      403'],
  ['get_webhook get_webhooks', 'of p1', inProject1, '             yes   yes    yes    403      403'],
  ['add_webhook modify_webhook delete_webhook', 'of p1', inProject1, 'yes yes  403    403      403'],
  ['add_snapshot', 'of p1', inProject1, '                         yes   yes    403    403      403'],
  ['get_task get_tasks add_task modify_task', 'nothing', onNothing, 'yes yes   yes    yes      yes'],

  [
    'get_metadef_namespace get_metadef_object get_metadef_objects list_metadef_resource_types get_metadef_resource_type get_metadef_property get_metadef_properties get_metadef_tag get_metadef_tags',
    'a private namespace',
    onNamespace('private'),
    '                                                             yes   yes    yes    404      404',
  ],
  [
    'get_metadef_namespace get_metadef_object get_metadef_objects list_metadef_resource_types get_metadef_resource_type get_metadef_property get_metadef_properties get_metadef_tag get_metadef_tags',
    'a public namespace',
    onNamespace('public'),
    '                                                             yes   yes    yes    yes      404',
  ],
  ['get_metadef_namespaces list_metadef_resource_types', 'all', onNoNamespace, 'yes yes yes yes 404'],
  ['add_metadef_namespace', 'a new one', onNoNamespace, '         yes   403    403    403      404'],
  [
    'modify_metadef_namespace delete_metadef_namespace modify_metadef_object add_metadef_object delete_metadef_object add_metadef_resource_type_association remove_metadef_resource_type_association modify_metadef_property add_metadef_property remove_metadef_property modify_metadef_tag add_metadef_tag add_metadef_tags delete_metadef_tag delete_metadef_tags',
    'a private namespace',
    onNamespace('private'),
    '                                                             yes   403    403    404      404',
  ],
  [
    'modify_metadef_namespace delete_metadef_namespace modify_metadef_object add_metadef_object delete_metadef_object add_metadef_resource_type_association remove_metadef_resource_type_association modify_metadef_property add_metadef_property remove_metadef_property modify_metadef_tag add_metadef_tag add_metadef_tags delete_metadef_tag delete_metadef_tags',
    'a public namespace',
    onNamespace('public'),
    '                                                             yes   403    403    403      404',
  ],
];

const HELPERS = ['default', 'context_is_admin', 'service_api', 'metadef_default', 'metadef_admin'];
const namesIn = (names: string) => names.split(' ') as RuleName[];
const cases = rows.flatMap(([names, asked, ask, outcomes]) =>
  namesIn(names).flatMap((rule) =>
    Object.entries(callers).map(
      ([who, caller], column) =>
        [rule, asked, who, outcomes.trim().split(/\s+/)[column], ask, caller] as const,
    ),
  ),
);

describe('the default rules', () => {
  it.each(cases)('%s on %s, asked by %s: %s', async (rule, _, __, expected, ask, caller) => {
    expect(await outcome(ask, rule, caller)).toBe(expected);
  });

  it('are all in the table, but for the helpers', () => {
    const asked = new Set(rows.flatMap(([names]) => namesIn(names)));

    expect(ruleNames.filter((name) => !asked.has(name))).toEqual(HELPERS);
    // Glance's, and our own.
    expect(ruleNames).toHaveLength(67 + 6);
  });

  it.each<[string, Caller, string]>([
    ['default', callers.nobody, 'yes'],
    ['metadef_default', callers.nobody, 'yes'],
    ['context_is_admin', callers.admin, 'yes'],
    ['context_is_admin', callers.member, 'no'],
    ['metadef_admin', callers.admin, 'yes'],
    ['metadef_admin', callers.member, 'no'],
    ['service_api', aCaller('services', 'service'), 'yes'],
    ['service_api', callers.member, 'no'],
  ])('hold: %s (%#)', (rule, caller, expected) => {
    expect(policy.satisfies(rule, caller) ? 'yes' : 'no').toBe(expected);
  });

  it.each<[RuleName, Ask]>([
    ['add_image_location', onImage('private')],
    ['fetch_image_location', onImage('public')],
    ['stores_info_detail', onNothing],
  ])('let services: %s', async (rule, ask) => {
    const service = aCaller('p1', 'service', 'reader');

    expect(await outcome(ask, rule, service)).toBe('yes');
  });

  it('ask for the roles of the user, not for those of the service that calls for him', async () => {
    const withService: Caller = { ...callers.member, serviceRoles: ['service', 'admin'] };

    expect(await outcome(onImage('private'), 'fetch_image_location', withService)).toBe('403');
    expect(policy.isAdmin(withService)).toBe(false);
  });

  const guarding = ruleNames.filter((name) => !HELPERS.includes(name));
  it.each(guarding)('refuse tokens of the system and of a domain: %s', (rule) => {
    const { admin } = callers;

    expect(policy.allows(rule, { ...admin, systemScope: 'all' })).toBe(false);
    expect(policy.allows(rule, { ...admin, projectId: null, domainId: 'd' })).toBe(false);
    expect(policy.allows(rule, admin)).toBe(true);
  });

  const changing = guarding.filter((name) => {
    return allRules[name].operation?.action !== 'read';
  });
  it.each(changing)('let nobody in particular change anything: %s', async (rule) => {
    const anonymous: Caller = { ...aCaller(null, 'admin'), isReadOnly: true };

    expect(await outcome(onImage('private'), rule, anonymous)).toBe('403');
    expect(() => {
      policy.enforceOnNamespace(rule, anonymous);
    }).toThrow('Read-only access');
    expect(() => {
      policy.enforce(rule, anonymous);
    }).toThrow('Read-only access');
    expect(policy.allows(rule, anonymous)).toBe(false);
  });
});
