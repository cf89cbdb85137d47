import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataServer, eachMode } from '@glimpse/testing';
import { makeDiskImage } from '../../../scripts/demo/disk-image.js';
import { runClient } from '../client.js';
import { clientEnvironment } from './client-environment.js';
import { type Step, offeredCommands, runSteps } from './steps.js';

const FORMATS = ['--disk-format', 'qcow2', '--container-format', 'bare'];

const idIn = (output: string): string => /\|\s*id\s*\|\s*([0-9a-f-]{36})\s*\|/.exec(output)?.[1] ?? '';

const dataFolder = mkdtempSync(join(tmpdir(), 'glimpse-glance-commands-'));

eachMode(
  'Every glance command',
  (glimpse, mode) => {
    const folder = mkdtempSync(join(tmpdir(), 'glimpse-glance-'));
    const { path } = makeDiskImage(folder);
    let server: DataServer;
    beforeAll(async () => {
      server = await DataServer.start();
    });
    afterAll(async () => {
      await server.close();
      rmSync(folder, { recursive: true });
      if (mode === 'distributed') rmSync(dataFolder, { recursive: true });
    });

    const run = (args: readonly string[]) =>
      runClient(folder, 'glance', ['--os-image-url', glimpse().url, '--os-auth-token', 'x', ...args]);

    it('does what its help says', async () => {
      const steps = [
        ...imageSteps(folder, path, () => server.serve('image', readFileSync(path))),
        ...metadefSteps(folder),
      ];
      const offered = await offeredCommands(folder, 'glance');
      const known = new Set(offered);

      const outcomes = await runSteps(
        steps.filter(({ command }) => known.has(command)),
        run,
      );

      expect(new Set(outcomes.map(({ command }) => command))).toEqual(known);
    }, 300_000);
  },
  { env: clientEnvironment(dataFolder) },
);

function imageSteps(folder: string, path: string, url: () => string): Step[] {
  let id = '';
  let staged = '';
  let located = '';
  let task = '';
  const ofImage =
    (...rest: string[]) =>
    () => [...rest, id];
  return [
    {
      command: 'image-create',
      args: ['--name', 'first', ...FORMATS, '--file', path, '--property', 'os_distro=debian'],
      shows: /\| status\s+\| active/,
      keep: (output) => (id = idIn(output)),
    },
    { command: 'image-list', shows: () => new RegExp(id) },
    { command: 'image-show', args: ofImage(), shows: /os_distro\s+\| debian/ },
    { command: 'explain', args: ['image'], shows: /os_hash_value/ },
    { command: 'image-update', args: ofImage('--name', 'renamed', '--hidden', 'false'), shows: /renamed/ },
    { command: 'image-tag-update', args: () => [id, 'blue'] },
    { command: 'image-tag-delete', args: () => [id, 'blue'] },
    { command: 'image-download', args: () => ['--file', join(folder, 'copy'), '--progress', id] },
    { command: 'image-deactivate', args: ofImage() },
    { command: 'image-show', args: ofImage(), shows: /\| status\s+\| deactivated/ },
    { command: 'image-reactivate', args: ofImage() },
    { command: 'member-create', args: () => [id, 'project-2'], shows: /pending/ },
    { command: 'member-get', args: () => [id, 'project-2'], shows: /project-2/ },
    { command: 'member-update', args: () => [id, 'project-2', 'accepted'], shows: /accepted/ },
    { command: 'member-list', args: () => ['--image-id', id], shows: /project-2\s+\| accepted/ },
    { command: 'member-delete', args: () => [id, 'project-2'] },
    { command: 'stores-info', args: ['--detail'], shows: /fast[\s\S]*slow[\s\S]*web/ },
    { command: 'usage' },
    { command: 'import-info', shows: /import-methods/ },

    {
      command: 'image-create',
      args: ['--name', 'staged', ...FORMATS],
      shows: /\| status\s+\| queued/,
      keep: (output) => (staged = idIn(output)),
    },
    { command: 'image-stage', args: () => ['--file', path, staged] },
    {
      command: 'image-import',
      args: () => ['--import-method', 'glance-direct', '--stores', 'fast', staged],
    },
    { command: 'image-tasks', args: () => [staged], shows: /success|processing|pending/ },
    {
      command: 'image-create-via-import',
      args: () => ['--name', 'from-web', ...FORMATS, '--import-method', 'web-download', '--uri', url()],
      shows: /from-web/,
    },

    {
      command: 'image-create',
      args: ['--name', 'located', ...FORMATS],
      keep: (output) => (located = idIn(output)),
    },
    { command: 'location-add', args: () => ['--url', url(), located], shows: /\| status\s+\| active/ },
    { command: 'location-add', args: () => ['--url', `${url()}#second`, located], shows: /#second/ },
    {
      command: 'location-update',
      args: () => ['--url', url(), '--metadata', '{"store": "web", "shelf": "3"}', located],
      shows: /shelf/,
    },
    { command: 'location-delete', args: () => ['--url', `${url()}#second`, located] },
    {
      command: 'image-create',
      args: ['--name', 'later', ...FORMATS],
      keep: (output) => (located = idIn(output)),
    },
    { command: 'add-location', args: () => ['--url', url(), located] },
    { command: 'image-upload', args: () => ['--file', path, id], fails: /409/ },
    {
      command: 'image-create',
      args: ['--name', 'fourth', ...FORMATS],
      keep: (output) => (staged = idIn(output)),
    },
    { command: 'image-upload', args: () => ['--file', path, '--store', 'slow', staged] },
    { command: 'stores-delete', args: () => ['--store', 'slow', staged], fails: /403/ },

    {
      command: 'task-list',
      shows: /ID/,
      keep: (output) => (task = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(output)?.[0] ?? ''),
    },
    { command: 'task-show', args: () => [task], shows: /api_image_import|location_import/ },
    {
      command: 'task-create',
      args: [
        '--type',
        'import',
        '--input',
        '{"import_from": "file:///etc/passwd", "import_from_format": "raw", "image_properties": {}}',
      ],
      fails: /400/,
    },

    { command: 'cache-queue', args: ofImage() },
    { command: 'cache-list' },
    { command: 'cache-nodes-list', args: ofImage(), fails: /409/ },
    { command: 'cache-delete', args: ofImage() },
    { command: 'cache-clear' },
    { command: 'cache-clean' },
    { command: 'cache-prune' },

    { command: 'image-delete', args: () => [id, staged, located] },
    { command: 'image-show', args: ofImage(), fails: /404/ },
  ];
}

function metadefSteps(folder: string): Step[] {
  const file = join(folder, 'namespace.json');
  writeFileSync(file, JSON.stringify({ namespace: 'Imported', visibility: 'public' }));
  const schema = JSON.stringify({ type: 'integer', title: 'Legs', minimum: 0 });
  const objectSchema = JSON.stringify({ properties: { legs: { type: 'integer', title: 'Legs' } } });
  return [
    { command: 'md-namespace-create', args: ['Zoo', '--visibility', 'public'], shows: /Zoo/ },
    { command: 'md-namespace-import', args: ['--file', file], shows: /Imported/ },
    { command: 'md-namespace-list', shows: /Imported[\s\S]*Zoo|Zoo[\s\S]*Imported/ },
    { command: 'md-namespace-show', args: ['Zoo'], shows: /public/ },
    { command: 'md-namespace-update', args: ['--description', 'Animals', 'Zoo'], shows: /Animals/ },
    {
      command: 'md-property-create',
      args: ['--name', 'legs', '--title', 'Legs', '--schema', schema, 'Zoo'],
      shows: /legs/,
    },
    { command: 'md-property-list', args: ['Zoo'], shows: /legs/ },
    { command: 'md-property-show', args: ['Zoo', 'legs'], shows: /integer/ },
    { command: 'md-property-update', args: ['--title', 'How many', 'Zoo', 'legs'], shows: /How many/ },
    { command: 'md-object-create', args: ['--name', 'Cat', '--schema', objectSchema, 'Zoo'], shows: /Cat/ },
    { command: 'md-object-list', args: ['Zoo'], shows: /Cat/ },
    { command: 'md-object-show', args: ['Zoo', 'Cat'], shows: /legs/ },
    { command: 'md-object-property-show', args: ['Zoo', 'Cat', 'legs'], shows: /Legs/ },
    { command: 'md-object-update', args: ['--name', 'Dog', 'Zoo', 'Cat'], shows: /Dog/ },
    { command: 'md-tag-create', args: ['--name', 'red', 'Zoo'], shows: /red/ },
    {
      command: 'md-tag-create-multiple',
      args: ['--names', 'green,blue', '--delim', ',', 'Zoo'],
      shows: /green/,
    },
    { command: 'md-tag-list', args: ['Zoo'], shows: /blue/ },
    { command: 'md-tag-show', args: ['Zoo', 'blue'], shows: /blue/ },
    { command: 'md-tag-update', args: ['--name', 'navy', 'Zoo', 'blue'], shows: /navy/ },
    {
      command: 'md-resource-type-associate',
      args: ['--name', 'OS::Glance::Image', '--prefix', 'zoo_', 'Zoo'],
      shows: /zoo_/,
    },
    { command: 'md-namespace-resource-type-list', args: ['Zoo'], shows: /OS::Glance::Image/ },
    { command: 'md-resource-type-list', shows: /OS::Glance::Image/ },
    { command: 'md-resource-type-deassociate', args: ['Zoo', 'OS::Glance::Image'] },
    { command: 'md-property-delete', args: ['Zoo', 'legs'] },
    { command: 'md-object-delete', args: ['Zoo', 'Dog'] },
    { command: 'md-tag-delete', args: ['Zoo', 'navy'] },
    { command: 'md-namespace-properties-delete', args: ['Zoo'] },
    { command: 'md-namespace-objects-delete', args: ['Zoo'] },
    { command: 'md-namespace-tags-delete', args: ['Zoo'] },
    { command: 'md-namespace-delete', args: ['Zoo'] },
  ];
}
