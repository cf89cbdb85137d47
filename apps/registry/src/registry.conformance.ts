import { afterAll, beforeAll, describe } from '@jest/globals';
import { describeImages } from './images/images.conformance.js';
import { describeLists } from './images/image-lists.conformance.js';
import { describeUploads } from './images/uploads.conformance.js';
import { describeJobs } from './jobs/jobs.conformance.js';
import { describeOutbox } from './outbox/outbox.conformance.js';
import {
  type DatabasePlace,
  type RegistryUnderTest,
  startRegistryOn,
} from './registry-harness.conformance.js';

/** What the registry does, on either database. */
export function describeRegistry(name: string, makePlace: () => Promise<DatabasePlace>): void {
  describe(`the registry on ${name}`, () => {
    describe('images', () => {
      withRegistry(makePlace, describeImages);
    });
    describe('lists', () => {
      withRegistry(makePlace, describeLists);
    });
    describe('data', () => {
      withRegistry(makePlace, describeUploads);
    });
    describe('jobs', () => {
      withRegistry(makePlace, describeJobs);
    });
    describe('events', () => {
      withRegistry(makePlace, describeOutbox);
    });
  });
}

function withRegistry(
  makePlace: () => Promise<DatabasePlace>,
  describeFeature: (registry: () => RegistryUnderTest, url: () => string) => void,
): void {
  let place: DatabasePlace;
  let registry: RegistryUnderTest;
  beforeAll(async () => {
    place = await makePlace();
    registry = await startRegistryOn(place.url);
  });
  afterAll(async () => {
    await registry.close();
    await place.remove();
  });
  describeFeature(
    () => registry,
    () => place.url,
  );
}
