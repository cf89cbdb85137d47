import type { RuleAction, RuleResource } from '@glimpse/policy';
import type { AuditedAction } from './audit-record.js';

/** What a call does, and to what. */
export interface AttemptedOperation {
  readonly action: RuleAction;
  readonly on: RuleResource | AuditedAction['on'];
}

/** The last words of calls that change nothing; any other is taken for a change. */
const reads: ReadonlySet<string> = new Set([
  'get',
  'list',
  'listAssociations',
  'listDeliveries',
  'listOfImage',
  'openDownload',
  'show',
  // These ask for a rule alone, which may be that of a change.
  'authorize',
  'mayDescribe',
]);

const changes: readonly (readonly [RegExp, RuleAction])[] = [
  [/^(create|add|associate)/, 'create'],
  [/^cancel$/, 'delete'],
  [/^(delete|remove|dissociate)/, 'delete'],
  [/^deactivate$/, 'disable'],
  [/^reactivate$/, 'enable'],
];

const nouns: Readonly<Record<string, AttemptedOperation['on']>> = {
  member: 'member',
  location: 'location',
  store: 'store',
  task: 'task',
  cache: 'cache',
  webhook: 'webhook',
};

function resourceOf(noun: string, verb: string): AttemptedOperation['on'] {
  if (noun.startsWith('metadef')) return 'metadef';
  if (noun !== 'image') return nouns[noun] ?? 'image';
  if (verb.endsWith('Tag')) return 'tag';
  return /(Upload|Download|Staging)$/.test(verb) ? 'data' : 'image';
}

/** What a call of the pattern `registry.<noun>.<verb>` does. */
export function attemptedOperation(pattern: string): AttemptedOperation {
  const [, noun = '', verb = ''] = pattern.split('.');
  const action = reads.has(verb) ? 'read' : (changes.find(([name]) => name.test(verb))?.[1] ?? 'update');
  return { action, on: resourceOf(noun, verb) };
}
