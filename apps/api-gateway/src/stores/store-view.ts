import type { StoreDescription } from '@glimpse/stores';

/** A store as everybody sees it; what is set is the text `true`, as in Glance. */
export function toStoreView({ id, description, isDefault, isReadOnly }: StoreDescription) {
  return {
    id,
    ...(description === null ? {} : { description }),
    ...(isDefault ? { default: 'true' } : {}),
    ...(isReadOnly ? { 'read-only': 'true' } : {}),
  };
}

/** A store as administrators and services see it. */
export function toDetailedStoreView(store: StoreDescription) {
  const { type, weight, properties } = store;
  return { ...toStoreView(store), type, weight, properties };
}
