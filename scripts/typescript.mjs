/**
 * Lets Node run the scripts, and the libraries without decorators that they use, straight from their TypeScript
 * sources: `import './x.js'` finds `x.ts`, and `@glimpse/x` the source of that library.
 */
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

const libraries = new URL('../libs/', import.meta.url);

registerHooks({
  resolve(specifier, context, next) {
    const library = /^@glimpse\/([a-z-]+)$/.exec(specifier)?.[1];
    if (library !== undefined) return next(new URL(`${library}/src/index.ts`, libraries).href, context);
    if (/^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL?.endsWith('.ts')) {
      const source = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
      if (existsSync(fileURLToPath(source))) return next(source.href, context);
    }
    return next(specifier, context);
  },
});
