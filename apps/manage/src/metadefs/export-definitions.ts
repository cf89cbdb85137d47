import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MetadefContent, MetadefNamespace } from '@glimpse/contracts';
import {
  type Database,
  type MetadefNamespaceRow,
  metadefNamespaceColumns,
  readContent,
  toStoredNamespace,
} from '@glimpse/persistence';

const present = (document: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(document).filter(([, value]) => value !== null));

/** A namespace in the format of Glance's files; the oldest comes first. */
function toFile(namespace: MetadefNamespace, content: MetadefContent): object {
  return present({
    namespace: namespace.namespace,
    display_name: namespace.displayName,
    description: namespace.description,
    visibility: namespace.visibility,
    protected: namespace.protected,
    owner: namespace.owner,
    resource_type_associations: content.associations.map(({ name, prefix, propertiesTarget }) =>
      present({ name, prefix, properties_target: propertiesTarget }),
    ),
    properties: Object.fromEntries(Object.entries(content.properties).toReversed()),
    objects: content.objects
      .toReversed()
      .map(({ name, description, required, properties }) =>
        present({ name, description, required: required.length > 0 ? required : null, properties }),
      ),
    tags: content.tags.toReversed().map(({ name }) => ({ name })),
  });
}

/** The name of the file, as Glance makes it of the name for people. */
function fileName({ namespace, displayName }: MetadefNamespace, taken: ReadonlySet<string>): string {
  const plain =
    (displayName ?? '').replace(/[^\p{L}\p{N}_]/gu, '') || namespace.replace(/[^\p{L}\p{N}_]/gu, '');
  const base = plain === '' ? 'namespace' : plain;
  let name = `${base}.json`;
  // Some file systems take `A` for `a`.
  for (let count = 2; taken.has(name.toLowerCase()); count += 1) name = `${base}-${count}.json`;
  return name;
}

/** Writes every namespace into a file of its own in `folder`, which it makes, and answers with their names. */
export async function exportDefinitions(database: Database, folder: string): Promise<string[]> {
  const rows = await database.query<MetadefNamespaceRow>(
    `SELECT ${metadefNamespaceColumns} FROM metadef_namespaces n ORDER BY n.id`,
  );
  await mkdir(folder, { recursive: true });
  const files: string[] = [];
  const taken = new Set<string>();
  for (const { id, namespace } of rows.map(toStoredNamespace)) {
    const name = fileName(namespace, taken);
    taken.add(name.toLowerCase());
    const document = toFile(namespace, await readContent(database, id));
    await writeFile(join(folder, name), `${JSON.stringify(document, null, 2)}\n`);
    files.push(name);
  }
  return files;
}
