/** A text with holes that attributes of the target fill: `%(project_id)s` is `[{ attribute: 'project_id' }]`. */
export type Template = readonly (string | { readonly attribute: string })[];

/** What one rule says. */
export type Expression =
  | { readonly kind: 'always' }
  | { readonly kind: 'never' }
  /** `role:member`: the caller has the role, whatever its case. */
  | { readonly kind: 'role'; readonly match: Template }
  /** `rule:service_api`: what another rule says; false where there is none of that name. */
  | { readonly kind: 'rule'; readonly name: string }
  /** `project_id:%(owner)s`: something known of the caller is equal to the text. */
  | { readonly kind: 'credential'; readonly name: string; readonly match: Template }
  /** `'public':%(visibility)s`: a fixed text is equal to the other one. */
  | { readonly kind: 'literal'; readonly value: string; readonly match: Template }
  | { readonly kind: 'and'; readonly parts: readonly Expression[] }
  | { readonly kind: 'or'; readonly parts: readonly Expression[] }
  | { readonly kind: 'not'; readonly part: Expression };

/** The text of a rule makes no sense. */
export class RuleSyntaxError extends Error {
  override readonly name = 'RuleSyntaxError';

  constructor(
    reason: string,
    /** Where in the text, counted from 0. */
    readonly at: number,
  ) {
    super(`${reason} (column ${at + 1})`);
  }
}
