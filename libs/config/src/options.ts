import { z } from 'zod';
import { toEnvName, toYamlKey } from './option-names.js';
import { ConfigSchema } from './schema.js';

/** One option as an operator sees it. */
export interface OptionDescription {
  /** As in the code, e.g. `['limits', 'propertyQuota']`. */
  readonly path: readonly string[];
  readonly yamlPath: string;
  readonly envName: string;
  readonly defaultValue: unknown;
  readonly description: string;
}

function unwrap(schema: z.ZodType): { inner: z.ZodType; defaultValue: unknown; description: string } {
  const description = schema.description ?? '';
  if (schema instanceof z.ZodDefault) {
    const inner = unwrap(schema.unwrap() as z.ZodType);
    return { ...inner, defaultValue: schema.def.defaultValue, description: description || inner.description };
  }
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional) {
    const inner = unwrap(schema.unwrap() as z.ZodType);
    return { ...inner, description: description || inner.description };
  }
  return { inner: schema, defaultValue: undefined, description };
}

/** Every option of {@link ConfigSchema}, in its order. */
export function listOptions(
  schema: z.ZodObject = ConfigSchema,
  parents: readonly string[] = [],
): OptionDescription[] {
  return Object.entries(schema.shape).flatMap(([key, value]) => {
    const path = [...parents, key];
    const { inner, defaultValue, description } = unwrap(value as z.ZodType);
    if (inner instanceof z.ZodObject) return listOptions(inner, path);
    return [
      {
        path,
        yamlPath: path.map(toYamlKey).join('.'),
        envName: toEnvName(path),
        defaultValue,
        description,
      },
    ];
  });
}
