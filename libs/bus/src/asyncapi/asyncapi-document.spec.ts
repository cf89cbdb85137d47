import { publicEvents } from '@glimpse/contracts';
import { Parser } from '@asyncapi/parser';
import { describe, expect, it } from '@jest/globals';
import { asyncApiDocument } from './asyncapi-document.js';

/** Said of documents of version 3.0, which more tools read. */
const NEWER_VERSION = 'asyncapi-latest-version';

describe('the AsyncAPI document', () => {
  it('is one, with examples that are what it says', async () => {
    const { document, diagnostics } = await new Parser().parse(JSON.stringify(asyncApiDocument()));

    const complaints = diagnostics
      .filter(({ code }) => code !== NEWER_VERSION)
      .map(({ code, message }) => `${code}: ${message}`);
    expect(complaints).toEqual([]);
    expect(document?.version()).toBe('3.0.0');
  });

  it('has every event that is published', async () => {
    const { document } = await new Parser().parse(JSON.stringify(asyncApiDocument()));

    const names = document?.allMessages().map((message) => message.name());

    expect(names).toEqual(expect.arrayContaining(publicEvents.map(({ event }) => event.name)));
    expect(names).toEqual(
      expect.arrayContaining([
        'snapshot.create',
        'snapshot.cancel',
        'snapshot.reply',
        'oslo.call',
        'oslo.reply',
      ]),
    );
  });
});
