import { ConfigError } from '@glimpse/config';
import { PolicyError, type Policy, loadPolicy } from '@glimpse/policy';
import { Injectable } from '@nestjs/common';
import { RegistrySettings } from '../registry-settings.js';
import { PolicyEngine } from './policy.engine.js';

/** Gives the engine the rules of the operator's files. */
@Injectable()
export class PolicySource {
  /** Throws a `ConfigError` where the files can't be used. */
  constructor(
    private readonly engine: PolicyEngine,
    private readonly settings: RegistrySettings,
  ) {
    this.load();
  }

  /** Reads the files. Throws a `ConfigError` where they can't be used; then the rules stay as they were. */
  load(): void {
    const policy = this.read();
    this.engine.use(policy);
    const changed = policy.rules.filter(({ source }) => source !== 'default').map(({ name }) => name);
    const { logger } = this.settings;
    for (const warning of policy.warnings) logger.warn({ warning }, 'the policy has an oddity');
    const { file, dirs } = this.settings.config.policy;
    if (file !== undefined || dirs.length > 0) logger.info({ rules: changed }, 'policy loaded');
  }

  private read(): Policy {
    try {
      return loadPolicy(this.settings.config.policy);
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error;
      throw new ConfigError(`The policy has errors:\n  ${error.message.replaceAll('\n', '\n  ')}`, {
        cause: error,
      });
    }
  }
}
