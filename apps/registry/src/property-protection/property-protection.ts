import { readFileSync } from 'node:fs';
import { ConfigError } from '@glimpse/config';
import { type Caller, type Image, isInternalProperty } from '@glimpse/contracts';
import { Injectable } from '@nestjs/common';
import { PolicyEngine } from '../policy/policy.engine.js';
import { RegistrySettings } from '../registry-settings.js';
import { type PropertyOperation, type ProtectionRule, parseProtectionFile } from './protection-file.js';

/** Names of properties whose rule is remembered. Names are the clients', so there has to be a bound. */
const MAX_REMEMBERED = 10_000;

/** The one place that decides which custom properties a caller may see and change (spec/api-images.md section 16). */
@Injectable()
export class PropertyProtection {
  private rules: readonly ProtectionRule[] | undefined;
  private readonly ruleByName = new Map<string, ProtectionRule | null>();

  /** Throws a `ConfigError` where the file can't be used. */
  constructor(
    private readonly policy: PolicyEngine,
    private readonly settings: RegistrySettings,
  ) {
    this.load();
  }

  /** Reads the file again. Throws a `ConfigError` where it can't be used; then the rules stay as they were. */
  load(): void {
    const { propertyProtectionFile: path, propertyProtectionRuleFormat: format } =
      this.settings.config.images;
    if (path === undefined) return;
    this.rules = parseProtectionFile(readText(path), path, format);
    this.ruleByName.clear();
  }

  allows(ctx: Caller, operation: PropertyOperation, name: string): boolean {
    if (this.rules === undefined || isInternalProperty(name)) return true;
    const allowed = this.ruleOf(name, this.rules)?.allowed[operation] ?? [];
    if (allowed.includes('!')) return false;
    if (allowed.includes('@')) return true;
    if (this.settings.config.images.propertyProtectionRuleFormat === 'policies')
      return allowed.some((rule) => this.policy.satisfies(rule, ctx));
    return [...ctx.roles, ...ctx.serviceRoles].some((role) => allowed.includes(role.toLowerCase()));
  }

  /** The image without the properties that the caller may not read. */
  visibleTo(ctx: Caller, image: Image): Image {
    if (this.rules === undefined) return image;
    const entries = Object.entries(image.properties);
    const readable = entries.filter(([name]) => this.allows(ctx, 'read', name));
    if (readable.length === entries.length) return image;
    const properties = Object.create(null) as Image['properties'];
    for (const [name, value] of readable) properties[name] = value;
    return { ...image, properties };
  }

  /** The first rule whose expression is found in the name. */
  private ruleOf(name: string, rules: readonly ProtectionRule[]): ProtectionRule | null {
    let rule = this.ruleByName.get(name);
    if (rule === undefined) {
      rule = rules.find(({ pattern }) => pattern.test(name)) ?? null;
      if (this.ruleByName.size >= MAX_REMEMBERED) this.ruleByName.clear();
      this.ruleByName.set(name, rule);
    }
    return rule;
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError(
      `images.property_protection_file: cannot read ${path}: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}
