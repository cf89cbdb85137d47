import {
  MAX_PROPERTY_VALUE_BYTES,
  MAX_TEXT_LENGTH,
  type Properties,
  isReadOnlyAttribute,
  isReservedProperty,
  isStorableText,
} from '@glimpse/contracts';

const isName = (name: string): boolean =>
  name !== '' &&
  name.length <= MAX_TEXT_LENGTH &&
  isStorableText(name) &&
  !isReadOnlyAttribute(name) &&
  !isReservedProperty(name);

const isValue = (value: string): boolean =>
  isStorableText(value) && Buffer.byteLength(value) <= MAX_PROPERTY_VALUE_BYTES;

/** MySQL takes names for the same that differ in case, or in blanks at their end. */
const folded = (name: string): string => name.trimEnd().toLowerCase();

/**
 * Of the properties that came along with data, or that the operator gives, those that an image can have which has
 * `before` already. The others are left out: an import that has stored its data does not fail for them.
 */
export function broughtProperties(
  more: Readonly<Record<string, string>>,
  before: Properties,
): Record<string, string> {
  const known = new Map(Object.keys(before).map((name) => [folded(name), name]));
  const brought: Record<string, string> = {};
  for (const [name, value] of Object.entries(more)) {
    const same = known.get(folded(name));
    if (!isName(name) || !isValue(value) || (same !== undefined && same !== name)) continue;
    known.set(folded(name), name);
    brought[name] = value;
  }
  return brought;
}
