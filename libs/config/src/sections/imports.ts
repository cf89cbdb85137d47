import { z } from 'zod';
import { wholeNumber, words } from '../option-types.js';
import {
  conversion,
  decompression,
  glanceDownload,
  importSteps,
  injectMetadata,
  scratch,
} from './import-steps.js';
import { uriLists } from './uri-lists.js';

/** The methods of importing that can be offered, by Glance's names. */
export const importMethodNames = ['glance-direct', 'web-download', 'copy-image', 'glance-download'] as const;

const isMethod = (name: string) => importMethodNames.some((method) => method === name);

const webDownload = z
  .strictObject({
    ...uriLists({ schemes: ['http', 'https'], ports: [80, 443], use: 'read from' }),
    maxRedirects: wholeNumber(0, 30)
      .default(5)
      .describe('Redirects that are followed; each is checked again.'),
    maxResumes: wholeNumber(0, 100)
      .default(5)
      .describe('How often a download that broke off is taken up again.'),
    idleTimeoutMs: wholeNumber(100)
      .default(60_000)
      .describe('A server that sends nothing for this long is given up, in milliseconds.'),
    totalTimeoutMs: wholeNumber(1_000)
      .default(86_400_000)
      .describe('How long one download may take altogether, in milliseconds.'),
  })
  .prefault({});

/** Importing images, and what keeps it from being turned against the cloud's own networks. */
export const imports = z
  .strictObject({
    methods: words()
      .refine((names) => names.every(isMethod), { error: `must be of ${importMethodNames.join(', ')}` })
      .default(['glance-direct', 'web-download', 'copy-image'])
      .describe(
        'Ways of importing that are offered: glance-direct, web-download, copy-image, glance-download.',
      ),
    maxAttempts: wholeNumber(1, 100)
      .default(3)
      .describe('How often an import is begun whose workers die or fail through no fault of the data.'),
    webDownload,
    steps: importSteps,
    scratch,
    decompression,
    conversion,
    injectMetadata,
    glanceDownload,
  })
  .prefault({});
