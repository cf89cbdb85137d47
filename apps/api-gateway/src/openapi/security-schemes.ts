import type { Config } from '@glimpse/config';
import type { JsonObject } from '@glimpse/contracts';

/** How callers of this deployment say who they are. */
export interface Security {
  readonly schemes: JsonObject;
  /** What an operation needs; empty where nobody is asked. */
  readonly requirement: JsonObject;
}

const header = (name: string, description: string) => ({ type: 'apiKey', in: 'header', name, description });

const IDENTITY_HEADERS = {
  'X-Identity-Status': '`Confirmed`, from the proxy that has checked the token.',
  'X-Project-Id': 'The project that the caller acts for.',
  'X-User-Id': 'The caller.',
  'X-Roles': 'The roles that the caller has in the project, separated by commas.',
};

/** The security schemes of the way of authentication that is configured. */
export function securityOf(auth: Config['auth']): Security {
  if (auth === 'none') return { schemes: {}, requirement: {} };
  if (auth === 'headers')
    return {
      schemes: Object.fromEntries(
        Object.entries(IDENTITY_HEADERS).map(([name, description]) => [name, header(name, description)]),
      ),
      requirement: Object.fromEntries(Object.keys(IDENTITY_HEADERS).map((name) => [name, []])),
    };
  return {
    schemes: { Token: header('X-Auth-Token', 'A token of the identity service (Keystone).') },
    requirement: { Token: [] },
  };
}
