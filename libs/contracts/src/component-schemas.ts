import { z } from 'zod';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Points from a schema's own definitions to the document's. */
function withComponentReferences(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withComponentReferences);
  if (typeof node !== 'object' || node === null) return node;
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) =>
      key === '$ref' && typeof value === 'string'
        ? [key, value.replace('#/$defs/', '#/components/schemas/')]
        : [key, withComponentReferences(value)],
    ),
  );
}

/** Objects stay open: what is added in a later release is no breach of the document. */
function leaveOpen({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodType;
  jsonSchema: z.core.JSONSchema.BaseSchema;
}) {
  const { def } = zodSchema._zod;
  if (def.type === 'object' && (def as z.core.$ZodObjectDef).catchall === undefined)
    delete jsonSchema.additionalProperties;
}

/** The schemas of the document that have a name (`.meta({ id })`), gathered while others refer to them. */
export class ComponentSchemas {
  private readonly byName = new Map<string, unknown>();

  /** JSON Schema 2020-12 of what is sent (`input`) or answered (`output`). */
  describe(schema: z.ZodType, io: 'input' | 'output'): JsonObject {
    const {
      $schema: _,
      $defs,
      ...own
    } = z.toJSONSchema(schema, {
      target: 'draft-2020-12',
      io,
      unrepresentable: 'any',
      override: leaveOpen,
    });
    for (const [name, definition] of Object.entries($defs ?? {}))
      this.define(name, withComponentReferences(definition));
    return withComponentReferences(own) as JsonObject;
  }

  get all(): JsonObject {
    return Object.fromEntries([...this.byName].toSorted(([a], [b]) => a.localeCompare(b)));
  }

  /** Throws where two schemas have one name. */
  private define(name: string, definition: unknown): void {
    const known = this.byName.get(name);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(definition))
      throw new Error(`Two different schemas are named ${name}`);
    this.byName.set(name, definition);
  }
}
