import { isAbsolute, normalize } from 'node:path';
import { snapshotSchemes } from '@glimpse/contracts';
import { z } from 'zod';
import { flag, wholeNumber, words } from '../option-types.js';
import { tlsFiles } from './tls.js';
import { uriLists } from './uri-lists.js';

const isDirectory = (path: string) => isAbsolute(path) && normalize(path) === path && path !== '/';

/** From where store-workers read the disks of servers, as keys of `snapshots`. */
export const snapshotSources = {
  fileRoots: words()
    .refine((paths) => paths.every(isDirectory), {
      error: 'must be absolute paths of directories, and not the root directory',
    })
    .default([])
    .describe(
      'Directories under which `file:` reads disks, and `nbd+unix:` and `nbds+unix:` find sockets; none by default. Whoever may ask for snapshots can read all that lies there.',
    ),
  blockDevices: flag()
    .default(false)
    .describe('Let `file:` read block devices that lie under file_roots, and not only files.'),
  ...uriLists({ schemes: [...snapshotSchemes], ports: [80, 443, 10_809], use: 'read from' }),
  maxConnections: wholeNumber(1, 16)
    .default(8)
    .describe('Connections to one NBD server, whatever the request asks for.'),
  maxRedirects: wholeNumber(0, 30)
    .default(0)
    .describe('Redirects of web servers that are followed; each is checked again.'),
  maxResumes: wholeNumber(0, 100)
    .default(8)
    .describe(
      'How often a source that went away is looked for again, to read on where it stopped, and an NBD server that is not there yet. The pauses grow from 0.2 seconds, each twice the one before, up to half a minute.',
    ),
  idleTimeoutMs: wholeNumber(100)
    .default(60_000)
    .describe('A source that sends nothing for this long is given up, in milliseconds.'),
  totalTimeoutMs: wholeNumber(1_000)
    .default(86_400_000)
    .describe('How long the reading of one disk may take altogether, in milliseconds.'),
  tls: z.strictObject(tlsFiles('NBD servers (`nbds:`, `nbds+unix:`)')).prefault({}),
};
