/** `propertyQuota` → `property_quota`. */
export const toYamlKey = (key: string) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** `['limits', 'propertyQuota']` → `GLIMPSE_LIMITS_PROPERTY_QUOTA`. */
export const toEnvName = (path: readonly string[]) =>
  `GLIMPSE_${path.map((part) => toYamlKey(part).toUpperCase()).join('_')}`;
