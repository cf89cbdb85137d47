/** `npm test [-- kind …] [-- jest options]`: every kind of test, or those that are named. Ends with a summary. */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../services/state.js';
import { killLeftovers } from './leftovers.js';
import { ensurePrograms } from './programs.js';
import { type ServersForTests, findIdentityServer, findS3Server, findServers } from './servers.js';

/** What runs together, in this order. Fault tests measure times, so nothing else runs beside them. */
const groups = [['unit', 'integration'], ['e2e', 'compat'], ['fault']];
const kinds = groups.flat();

interface Count {
  passed: number;
  failed: number;
}

const named = process.argv.slice(2).filter((argument) => kinds.includes(argument));
const jestOptions = process.argv.slice(2).filter((argument) => !kinds.includes(argument));
const wanted = named.length === 0 ? kinds : named;
const run = `GLIMPSE_TEST_RUN=${randomUUID()}`;

function runJest(projects: readonly string[], env: NodeJS.ProcessEnv, resultFile: string): Promise<number> {
  const child = spawn(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join(root, 'node_modules/jest/bin/jest.js'),
      `--maxWorkers=${projects.includes('fault') ? 1 : 2}`,
      '--json',
      `--outputFile=${resultFile}`,
      // Whoever asks for some files finds them in some of the groups.
      `--passWithNoTests=${jestOptions.length > 0}`,
      ...jestOptions,
      '--selectProjects',
      ...projects,
    ],
    // The JSON also goes to standard output; what people read is on standard error.
    { cwd: root, env, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function countOf(resultFile: string, exitCode: number): Count {
  if (!existsSync(resultFile)) return { passed: 0, failed: 1 };
  const result = JSON.parse(readFileSync(resultFile, 'utf8')) as {
    numPassedTests: number;
    numFailedTests: number;
    numRuntimeErrorTestSuites: number;
  };
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  return { passed: result.numPassedTests, failed: failed === 0 && exitCode !== 0 ? 1 : failed };
}

async function runGroups(serverEnv: ServersForTests['env']): Promise<Count> {
  const folder = mkdtempSync(join(tmpdir(), 'glimpse-results-'));
  const [markName, markValue] = run.split('=') as [string, string];
  const env = { ...process.env, ...serverEnv, [markName]: markValue };
  const total: Count = { passed: 0, failed: 0 };
  for (const [index, group] of groups.entries()) {
    const projects = group.filter((kind) => wanted.includes(kind));
    if (projects.length === 0) continue;
    const resultFile = join(folder, `${index}.json`);
    const { passed, failed } = countOf(resultFile, await runJest(projects, env, resultFile));
    total.passed += passed;
    total.failed += failed;
    if (killLeftovers(run) > 0)
      console.error('Some services that tests had started were still running: ended.');
  }
  rmSync(folder, { recursive: true });
  return total;
}

/** The kinds of test that start Glimpse as its users know it. */
const WITH_IDENTITY: ReadonlySet<string> = new Set(['e2e', 'compat']);
/** Those that store image data in a server. */
const WITH_S3: ReadonlySet<string> = new Set(['integration', 'e2e', 'compat', 'fault']);

// Jest gets the signal as well and ends; what was started for it is to be ended after it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
try {
  ensurePrograms(wanted);
  const servers: ServersForTests[] = [];
  try {
    if (wanted.some((kind) => kind !== 'unit')) servers.push(await findServers());
    if (wanted.some((kind) => WITH_IDENTITY.has(kind))) servers.push(await findIdentityServer());
    if (wanted.some((kind) => WITH_S3.has(kind))) servers.push(await findS3Server());
    const env = Object.assign({}, ...servers.map((server) => server.env)) as ServersForTests['env'];
    const { passed, failed } = await runGroups(env);
    if (failed > 0 || passed === 0) process.exitCode = 1;
    console.log(`${passed} passed, ${failed} failed`);
  } finally {
    for (const server of servers) await server.end();
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
