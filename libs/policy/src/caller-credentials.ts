import type { Caller } from '@glimpse/contracts';
import type { PolicyValue } from './language/evaluate.js';

type Reader = (caller: Caller) => PolicyValue;

const userId: Reader = ({ userId: id }) => id;
const projectId: Reader = ({ projectId: id }) => id;
const userDomainId: Reader = ({ userDomainId: id }) => id ?? null;
const projectDomainId: Reader = ({ projectDomainId: id }) => id ?? null;

/** What rules may ask about a caller, by oslo.policy's names; the last ones are its old names. */
const readers: ReadonlyMap<string, Reader> = new Map(
  Object.entries({
    user_id: userId,
    user_domain_id: userDomainId,
    system_scope: ({ systemScope }) => systemScope,
    domain_id: ({ domainId }) => domainId,
    project_id: projectId,
    project_domain_id: projectDomainId,
    roles: ({ roles }) => roles,
    // An identity service that names no admin project makes every project one (oslo.context).
    is_admin_project: ({ isAdminProject }) => isAdminProject ?? true,
    service_user_id: ({ serviceUserId }) => serviceUserId ?? null,
    service_user_domain_id: ({ serviceUserDomainId }) => serviceUserDomainId ?? null,
    service_project_id: ({ serviceProjectId }) => serviceProjectId ?? null,
    service_project_domain_id: ({ serviceProjectDomainId }) => serviceProjectDomainId ?? null,
    service_roles: ({ serviceRoles }) => serviceRoles,
    user: userId,
    tenant: projectId,
    user_domain: userDomainId,
    project_domain: projectDomainId,
  } satisfies Record<string, Reader>),
);

/** What is known of the caller under this name; undefined where rules know no such name. */
export const credentialOf = (caller: Caller, name: string): PolicyValue => readers.get(name)?.(caller);

/** Whether rules may ask for a credential of this name. */
export const isCredentialName = (name: string): boolean => readers.has(name);
