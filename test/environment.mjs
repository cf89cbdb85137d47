import { TestEnvironment } from 'jest-environment-node';

/** Lets a test file know that one of its tests has failed, so that it can show the logs of what it started. */
export default class FailureAwareEnvironment extends TestEnvironment {
  handleTestEvent(event) {
    const errors =
      event.name === 'test_done' || event.name === 'hook_failure' ? (event.test?.errors ?? [event]) : [];
    if (errors.length > 0) this.global.hasFailedTest = true;
  }
}
