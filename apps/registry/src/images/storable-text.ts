/**
 * Whether Glance's columns can hold the text: they know no character that needs four bytes in UTF-8. MySQL refuses even
 * to look for another one.
 */
export const isStorable = (text: string): boolean => !/[\uD800-\uDFFF]/.test(text);
