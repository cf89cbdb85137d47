import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DataServer, type Glimpse, Keystone, startGlimpse } from '@glimpse/testing';
import { makeDiskImage } from '../../scripts/demo/disk-image.js';
import { PYTHON } from './client.js';
import { clientEnvironment } from './commands/client-environment.js';
import { ImageCloud } from './image-cloud.js';
import { tempestConfig } from './tempest-config.js';

const REASON_LENGTH = 600;
const START_TIMEOUT_MS = 60_000;
const RUNNER = 'test/compat/python/tempest_runner.py';
const modules = [
  'tempest.api.image.v2.test_versions',
  'tempest.api.image.v2.test_images',
  'tempest.api.image.v2.test_images_formats',
  'tempest.api.image.v2.test_images_member',
  'tempest.api.image.v2.test_images_member_negative',
  'tempest.api.image.v2.test_images_metadefs_schema',
  'tempest.api.image.v2.test_images_negative',
  'tempest.api.image.v2.test_images_tags',
  'tempest.api.image.v2.test_images_tags_negative',
  'tempest.api.image.v2.admin.test_image_caching',
  'tempest.api.image.v2.admin.test_image_task',
  'tempest.api.image.v2.admin.test_images',
  'tempest.api.image.v2.admin.test_images_metadefs_namespace_objects',
  'tempest.api.image.v2.admin.test_images_metadefs_namespace_properties',
  'tempest.api.image.v2.admin.test_images_metadefs_namespace_tags',
  'tempest.api.image.v2.admin.test_images_metadefs_namespaces',
  'tempest.api.image.v2.admin.test_images_metadefs_resource_types',
  'tempest.scenario.test_unified_limits',
];

/** Why tempest may leave a test out: what it needs is none of an image service's, or is configured the other way. */
const knownReasons: readonly RegExp[] = [
  /No image_remote service to test/,
  /does not support glance-download import method/,
  /Image format testing is not configured/,
  /do_secure_hash is enabled/,
  /Nova is not available/,
  /Skipped until bug/,
];

/** Debian's tempest wants an image to be still waiting when it has been queued for the cache; newer ones don't. */
const isTooFast = ({ test, reason }: Outcome) =>
  test.includes('test_image_caching_cycle') && reason.includes('in _assertCheckQueues');

interface Outcome {
  readonly test: string;
  readonly outcome: 'ok' | 'failed' | 'skipped' | 'absent';
  readonly reason: string;
}

/** The end of a reason says what was wrong; before it are the log and the calls. */
const summarize = ({ test, outcome, reason }: Outcome) =>
  `${test} ${outcome}: ${reason.trim().slice(-REASON_LENGTH)}`;

function runTempest(config: string): Promise<Outcome[]> {
  return new Promise((resolve, reject) => {
    const options = { maxBuffer: 64 * 1024 * 1024, env: { PATH: process.env['PATH'] } };
    execFile(PYTHON, [RUNNER, config, ...modules], options, (error, stdout, stderr) => {
      const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
      if (lines.length === 0) reject(new Error(`tempest did not run: ${stderr}`, { cause: error }));
      else resolve(lines.map((line) => JSON.parse(line) as Outcome));
    });
  });
}

/** What Debian's tempest expects: in its time members could take locations away. */
function policyFile(folder: string): string {
  const path = join(folder, 'policy.yaml');
  writeFileSync(path, 'delete_image_location: role:admin or (role:member and project_id:%(project_id)s)\n');
  return path;
}

describe.each(['embedded', 'distributed'] as const)('Tempest (%s)', (mode) => {
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-tempest-'));
  let glimpse: Glimpse;
  let server: DataServer;
  let config: string;

  beforeAll(async () => {
    server = await DataServer.start();
    const cloud = await ImageCloud.create(Keystone.fromEnvironment());
    glimpse = await startGlimpse({
      mode,
      auth: 'keystone',
      env: {
        ...cloud.env,
        ...clientEnvironment(folder),
        GLIMPSE_POLICY_FILE: policyFile(folder),
        // Its tests upload arbitrary bytes as disks of every format.
        GLIMPSE_FORMATS_REQUIRE_MATCH: 'false',
      },
    });
    // Its tests of metadata definitions take the first resource type that they find.
    await glimpse.manage('load-metadefs');
    config = join(folder, 'tempest.conf');
    writeFileSync(
      config,
      tempestConfig({
        cloud,
        imageUrl: server.serve('image', readFileSync(makeDiskImage(folder).path)),
        folder,
      }),
    );
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await glimpse.stop();
    await server.close();
    rmSync(folder, { recursive: true });
  }, START_TIMEOUT_MS);

  it('finds what it expects of an image service', async () => {
    const outcomes = await runTempest(config);

    const unexpected = outcomes.filter(
      ({ test, outcome, reason }) =>
        (outcome === 'failed' && !isTooFast({ test, outcome, reason })) ||
        (outcome === 'skipped' && !knownReasons.some((known) => known.test(reason))),
    );
    expect(unexpected.map(summarize)).toEqual([]);
    expect(outcomes.filter(({ outcome }) => outcome === 'ok').length).toBeGreaterThan(50);
  }, 900_000);
});
