import type { PolicyValue } from './language/evaluate.js';

/** What somebody wants to work on, as rules see it; undefined for an attribute that it lacks. */
export type PolicyTarget = (attribute: string) => PolicyValue;

/** For what has no attributes: the cache, tasks, the stores. */
export const noTarget: PolicyTarget = () => undefined;

/** A target with these attributes and no others. */
export const targetWith =
  (attributes: Readonly<Record<string, PolicyValue>>): PolicyTarget =>
  (name) =>
    Object.hasOwn(attributes, name) ? attributes[name] : undefined;
