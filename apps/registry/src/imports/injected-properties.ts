import type { Config } from '@glimpse/config';
import { type Caller, isInternalProperty } from '@glimpse/contracts';

/**
 * The properties that an import sets for its caller, whatever the image has already: the step `inject_image_metadata`. As in
 * Glance neither quotas nor property protections stand against them, and what is reserved is left out.
 */
export function injectedProperties(
  { roles }: Pick<Caller, 'roles'>,
  { steps, injectMetadata }: Pick<Config['import'], 'steps' | 'injectMetadata'>,
): Record<string, string> {
  const { inject, ignoreUserRoles } = injectMetadata;
  const isExempt = ignoreUserRoles.some((role) => roles.includes(role.toLowerCase()));
  if (!steps.includes('inject_image_metadata') || isExempt) return {};
  return Object.fromEntries(Object.entries(inject).filter(([name]) => !isInternalProperty(name)));
}
