import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DataServer, ImageApi, Keystone, eachMode } from '@glimpse/testing';
import { makeDiskImage } from '../../../scripts/demo/disk-image.js';
import { type People, createPeople } from '../../e2e/keystone-people.js';
import { runClient, runPython } from '../client.js';
import { clientEnvironment } from './client-environment.js';
import { type Step, offeredCommands, runSteps } from './steps.js';

const FORMATS = ['--disk-format', 'qcow2', '--container-format', 'bare'];

const idIn = (output: string) => (JSON.parse(output) as { id: string }).id;

const dataFolder = mkdtempSync(join(tmpdir(), 'glimpse-openstack-commands-'));

eachMode(
  'Programs of OpenStack',
  (glimpse, mode) => {
    const folder = mkdtempSync(join(tmpdir(), 'glimpse-openstack-'));
    const { path } = makeDiskImage(folder);
    let server: DataServer;
    let people: People;
    let variables: Record<string, string>;
    /** Without a terminal the command makes no image without data. */
    let empty: string;

    beforeAll(async () => {
      server = await DataServer.start();
      const keystone = Keystone.fromEnvironment();
      people = await createPeople(keystone);
      const region = await keystone.createRegion(keystone.url);
      await keystone.createEndpoint('image', region, glimpse().url);
      const { id, password } = people.users.admin;
      const token = await keystone.projectToken(people.users.admin, people.ours);
      ({ id: empty } = await new ImageApi(() => glimpse().url, { 'x-auth-token': token }).create());
      variables = {
        OS_AUTH_URL: keystone.url,
        OS_IDENTITY_API_VERSION: '3',
        OS_REGION_NAME: region,
        OS_USER_ID: id,
        OS_PASSWORD: password,
        OS_PROJECT_ID: people.ours.id,
      };
    });
    afterAll(async () => {
      await server.close();
      rmSync(folder, { recursive: true });
      if (mode === 'distributed') rmSync(dataFolder, { recursive: true });
    });

    it('every image command of openstack does what its help says', async () => {
      const offered = await offeredCommands(folder, 'openstack');
      const steps = [...imageSteps(folder, path, () => empty, people.theirs.id), ...metadefSteps()];
      const known = new Set(offered);

      const outcomes = await runSteps(
        steps.filter(({ command }) => known.has(command)),
        (args) => runClient(folder, 'openstack', args, variables),
      );

      expect(new Set(outcomes.map(({ command }) => command))).toEqual(known);
    }, 300_000);

    it("openstacksdk's image proxy gets what it expects", async () => {
      const output = await runPython(
        'test/compat/python/sdk_images.py',
        [people.theirs.id, server.serve('image', readFileSync(path))],
        variables,
      );

      const done = output.split('\n').filter((line) => line.startsWith('ok '));
      expect(done).toContain('ok import what was staged');
      expect(done).toContain('ok delete the image');
    }, 300_000);
  },
  () => Keystone.fromEnvironment().glimpseOptions(clientEnvironment(dataFolder)),
);

function imageSteps(folder: string, path: string, empty: () => string, project: string): Step[] {
  let id = '';
  let task = '';
  const json = ['-f', 'json'];
  return [
    {
      command: 'image create',
      args: ['first', ...FORMATS, '--file', path, '--property', 'os_distro=debian', ...json],
      keep: (output) => (id = idIn(output)),
    },
    { command: 'image list', args: ['--long'], shows: () => new RegExp(`${id}.*first.*active`) },
    { command: 'image show', args: () => [id], shows: /os_distro='debian'/ },
    { command: 'image set', args: () => [id, '--name', 'renamed', '--tag', 'blue', '--min-ram', '64'] },
    { command: 'image unset', args: () => [id, '--tag', 'blue', '--property', 'os_distro'] },
    { command: 'image show', args: () => ['renamed'], shows: () => new RegExp(id) },
    { command: 'image save', args: () => ['--file', join(folder, 'copy'), id] },
    { command: 'image add project', args: () => [id, project], shows: /pending/ },
    { command: 'image member list', args: () => [id], shows: () => new RegExp(project) },
    { command: 'image member get', args: () => [id, project], shows: () => new RegExp(project) },
    { command: 'image remove project', args: () => [id, project] },
    { command: 'image set', args: () => [id, '--deactivate'] },
    { command: 'image set', args: () => [id, '--activate'] },
    { command: 'image stores list', args: ['--detail'], shows: /fast[\s\S]*slow[\s\S]*web/ },
    { command: 'image import info', shows: /glance-direct/ },
    { command: 'image stage', args: () => ['--file', path, empty()] },
    { command: 'image import', args: () => [empty(), '--method', 'glance-direct', '--store', 'slow'] },
    {
      command: 'image task list',
      shows: /api_image_import|ID/,
      keep: (output) => (task = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/.exec(output)?.[0] ?? ''),
    },
    { command: 'image task show', args: () => [task], shows: () => new RegExp(task) },
    { command: 'cached image queue', args: () => [id] },
    { command: 'cached image list' },
    { command: 'cached image delete', args: () => [id] },
    { command: 'cached image clear' },
    { command: 'image create', args: () => ['web', ...FORMATS, '--import', '--file', path, ...json] },
    { command: 'image delete', args: () => [id] },
    { command: 'image show', args: () => [id], fails: /no image found|could not find/i },
  ];
}

function metadefSteps(): Step[] {
  const of = (noun: string, verb: string) => `image metadef ${noun} ${verb}`;
  return [
    { command: of('namespace', 'create'), args: ['Zoo', '--public'], shows: /Zoo/ },
    { command: of('namespace', 'list'), shows: /Zoo/ },
    { command: of('namespace', 'show'), args: ['Zoo'], shows: /public/ },
    { command: of('namespace', 'set'), args: ['Zoo', '--description', 'Animals'] },
    {
      command: of('property', 'create'),
      args: ['--name', 'legs', '--title', 'Legs', '--type', 'integer', '--schema', '{}', 'Zoo'],
    },
    { command: of('property', 'list'), args: ['Zoo'], shows: /legs/ },
    { command: of('property', 'show'), args: ['Zoo', 'legs'], shows: /integer/ },
    { command: of('property', 'set'), args: ['Zoo', 'legs', '--title', 'How many'] },
    { command: of('object', 'create'), args: ['--namespace', 'Zoo', 'Cat'], shows: /Cat/ },
    { command: of('object', 'list'), args: ['Zoo'], shows: /Cat/ },
    { command: of('object', 'show'), args: ['Zoo', 'Cat'], shows: /Cat/ },
    { command: of('object', 'update'), args: ['Zoo', 'Cat', '--name', 'Dog'] },
    { command: of('object', 'property show'), args: ['Zoo', 'Dog', 'legs'], fails: /legs/ },
    {
      command: of('resource type association', 'create'),
      args: ['Zoo', 'OS::Glance::Image'],
      shows: /OS::Glance::Image/,
    },
    { command: of('resource type association', 'list'), args: ['Zoo'], shows: /OS::Glance::Image/ },
    { command: of('resource type', 'list'), shows: /OS::Glance::Image/ },
    { command: of('resource type association', 'delete'), args: ['Zoo', 'OS::Glance::Image'] },
    { command: of('property', 'delete'), args: ['Zoo', 'legs'] },
    { command: of('object', 'delete'), args: ['Zoo', 'Dog'] },
    { command: of('namespace', 'unset'), args: ['Zoo', '--description'] },
    { command: of('namespace', 'delete'), args: ['Zoo'] },
  ];
}
