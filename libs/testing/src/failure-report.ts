/** Set by the test environment (test/environment.mjs) when a test of the file has failed. */
declare global {
  var hasFailedTest: boolean | undefined;
}

/** Writes `describe()` to standard error when a test of this file has failed: the place to look at first. */
export function reportFailure(describe: () => string): void {
  if (globalThis.hasFailedTest) process.stderr.write(`\n${describe()}\n`);
}
