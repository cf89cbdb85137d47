const NAMESPACES = '/v2/metadefs/namespaces';

/** Escapes what can't stand in a path; the colons that namespaces are known by stay. */
const segment = (text: string) => encodeURIComponent(text).replaceAll('%3A', ':');

/** The path of a namespace, or of what is in it: `metadefPath('OS::Nova', 'tags', 'a')`. */
export const metadefPath = (namespace: string, ...below: readonly string[]): string =>
  [NAMESPACES, ...[namespace, ...below].map(segment)].join('/');
