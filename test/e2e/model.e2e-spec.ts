import { randomUUID } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { type HttpAnswer, ImageApi, eachMode } from '@glimpse/testing';
import * as fc from 'fast-check';
import { identity } from './callers.js';
import { type Command, commands } from './model/commands.js';
import { expectedOutcome } from './model/expectations.js';
import { type CallerName, type ModelImage, callerNames, projectOf, sees } from './model/image-model.js';
import { type World, perform } from './model/perform.js';

const SEQUENCES = 100;
/** What a failure prints; `MODEL_SEED` and `MODEL_PATH` repeat it. */
const repeat = {
  ...(process.env['MODEL_SEED'] === undefined ? {} : { seed: Number(process.env['MODEL_SEED']) }),
  ...(process.env['MODEL_PATH'] === undefined ? {} : { path: process.env['MODEL_PATH'] }),
};

const rolesOf = (name: CallerName) =>
  name === 'admin' ? ['admin', 'member', 'reader'] : name === 'reader' ? ['reader'] : ['member', 'reader'];

function idsIn(answer: HttpAnswer, command: Command): string[] {
  const body = JSON.parse(answer.text) as { images?: { id: string }[]; members?: { member_id: string }[] };
  return command.kind === 'list'
    ? (body.images ?? []).map(({ id }) => id)
    : (body.members ?? []).map((member) => member.member_id);
}

/** Makes the call and compares what came of it with what the model says. */
async function step(world: World & { images: ModelImage[] }, command: Command): Promise<void> {
  const { status, listed, data, apply } = expectedOutcome(world.images, command);
  const answer = await perform(world, command);
  const came = {
    command,
    status: answer.status,
    listed: listed === undefined || answer.status !== 200 ? undefined : idsIn(answer, command).toSorted(),
    data: data === undefined ? undefined : answer.text,
  };
  expect(came).toEqual({ command, status, listed: listed?.toSorted(), data });
  apply?.(command.kind === 'create' ? (JSON.parse(answer.text) as { id: string }).id : '');
}

/** Every caller sees of every image what the model says that there is. */
async function compareAll({ apis, images }: World): Promise<void> {
  for (const image of images)
    for (const name of callerNames) {
      const answer = await apis[name].send('GET', `/v2/images/${image.id}`);
      expect([name, image.id, answer.status]).toEqual([name, image.id, sees(name, image) ? 200 : 404]);
      if (answer.status !== 200) continue;
      const shown = JSON.parse(answer.text) as Record<string, unknown>;
      expect(shown).toMatchObject({
        owner: image.owner,
        visibility: image.visibility,
        status: image.status,
        protected: image.isProtected,
        os_hidden: image.isHidden,
        ...Object.fromEntries(image.properties),
      });
      expect(new Set(shown['tags'] as string[])).toEqual(image.tags);
    }
}

eachMode(
  'Any sequence of calls',
  (glimpse, mode) => {
    it(`has the statuses and lists of the model (${mode})`, async () => {
      const apiOf = (name: CallerName) =>
        new ImageApi(() => glimpse().url, identity(projectOf[name], ...rolesOf(name)));
      const apis = Object.fromEntries(callerNames.map((name) => [name, apiOf(name)])) as Record<
        CallerName,
        ImageApi
      >;

      await fc.assert(
        fc.asyncProperty(commands, async (sequence) => {
          const world = { apis, images: [] as ModelImage[], run: randomUUID() };
          for (const command of sequence) await step(world, command);
          await compareAll(world);
        }),
        { numRuns: SEQUENCES, endOnFailure: false, ...repeat },
      );
    });
  },
  { auth: 'headers' },
);
