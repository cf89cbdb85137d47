import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the definitions that come with Glimpse. */
export function defaultDefinitions(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  // The sources and what is compiled of them lie at different depths.
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('There is no package.json above the program');
    folder = parent;
  }
  return join(folder, 'deploy', 'metadefs');
}
