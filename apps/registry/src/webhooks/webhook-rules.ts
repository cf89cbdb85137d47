import type { Config } from '@glimpse/config';
import {
  AddressRules,
  MAX_TEXT_LENGTH,
  ServiceError,
  isEventTypePattern,
  isStorableText,
  problemWithUri,
  webhookEventTypes,
} from '@glimpse/contracts';
import { Injectable } from '@nestjs/common';
import { RegistrySettings } from '../registry-settings.js';

const invalid = (message: string) => new ServiceError('REQUEST_INVALID', message);

/** What a webhook may be. Workers look at the addresses again when they connect. */
@Injectable()
export class WebhookRules {
  private readonly options: Config['webhooks'];
  private readonly addresses: AddressRules;

  constructor({ config }: RegistrySettings) {
    this.options = config.webhooks;
    this.addresses = new AddressRules(config.webhooks.allowedAddresses);
  }

  /** The host that the URL leads to. Throws REQUEST_INVALID where nothing may be sent there. */
  checkUrl(text: string): string {
    const { maxUrlLength } = this.options;
    if (text.length > maxUrlLength) throw invalid(`The URL is longer than ${maxUrlLength} characters.`);
    const problem = problemWithUri(text, this.options);
    if (problem !== undefined) throw invalid(`Nothing is sent to this URL: ${problem}.`);
    const { hostname, username, password, hash } = new URL(text);
    if (username !== '' || password !== '')
      throw invalid('The URL must not hold a user or a password: messages are signed instead.');
    if (hash !== '') throw invalid('The URL must not have a fragment.');
    if (!this.addresses.allowsHost(hostname))
      throw invalid('Nothing is sent to this URL: it leads to an address that only the operator reaches.');
    if (hostname.length > MAX_TEXT_LENGTH) throw invalid('The host of the URL is too long.');
    return hostname.toLowerCase();
  }

  /** The types and patterns without doublets. Throws REQUEST_INVALID where one of them is none. */
  checkEventTypes(types: readonly string[]): string[] {
    const { maxEventTypes } = this.options;
    const distinct = [...new Set(types)];
    if (distinct.length === 0 || distinct.length > maxEventTypes)
      throw invalid(`A webhook names 1 to ${maxEventTypes} types of events.`);
    const unknown = distinct.find((type) => !isEventTypePattern(type));
    if (unknown !== undefined)
      throw invalid(
        `There is no type of events ${JSON.stringify(unknown.slice(0, 100))}. There are ${webhookEventTypes.join(', ')}, and patterns of them such as image.* and *.`,
      );
    return distinct;
  }

  checkDescription(text: string | null): void {
    if (text !== null && (text.length > MAX_TEXT_LENGTH || !isStorableText(text)))
      throw invalid(
        `A description has at most ${MAX_TEXT_LENGTH} characters of the Basic Multilingual Plane.`,
      );
  }
}
