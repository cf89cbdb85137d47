export type { ContentName, Danger, FormatName, FoundFormat, Inspection } from './inspection.js';
export { ContentInspector, type InspectionSoFar, type SeenFormat } from './content-inspector.js';
export { inspectFile } from './inspect-file.js';
export type { DeclaredFormat, FormatRules } from './verdict/format-rules.js';
export { judge } from './verdict/judge.js';
export type { Verdict } from './verdict/verdict.js';
export { type DataInspector, createFormatGuard, createFormatReporter } from './format-guard.js';
