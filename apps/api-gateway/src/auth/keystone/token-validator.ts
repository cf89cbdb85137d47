import { identityUnavailable } from './identity-unavailable.js';
import { validations } from './keystone-metrics.js';
import type { ServiceSession } from './service-session.js';
import { type CheckedToken, checkedToken, parseToken } from './token-document.js';

/** Keystone's way to ask whether this service heeds access rules; without it such a token is not valid. */
const ACCESS_RULES = { 'openstack-identity-access-rules': '1' };

/** Asks Keystone about tokens. */
export class TokenValidator {
  constructor(private readonly session: Pick<ServiceSession, 'get'>) {}

  /**
   * What Keystone knows of the token; null when it is not valid. With `allowExpired` one that ran out within Keystone's
   * window counts as valid. Rejects with `IDENTITY_UNAVAILABLE` when Keystone does not say.
   */
  async validate(token: string, allowExpired: boolean): Promise<CheckedToken | null> {
    try {
      const checked = await this.ask(token, allowExpired);
      validations.inc({ outcome: checked === null ? 'invalid' : 'valid' });
      return checked;
    } catch (error) {
      validations.inc({ outcome: 'unavailable' });
      throw error;
    }
  }

  private async ask(token: string, allowExpired: boolean): Promise<CheckedToken | null> {
    const path = `/auth/tokens?nocatalog${allowExpired ? '&allow_expired=1' : ''}`;
    const { status, body } = await this.session.get('validate', path, {
      ...ACCESS_RULES,
      'x-subject-token': token,
    });
    // Everything in the request but the token is ours.
    if (status !== 200) return null;
    try {
      return checkedToken(parseToken(body));
    } catch (error) {
      throw identityUnavailable(error);
    }
  }
}
