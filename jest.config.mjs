const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
          target: 'es2023',
        },
        module: { type: 'es6' },
      },
    ],
  },
  moduleNameMapper: {
    '^@glimpse/([a-z-]+)$': '<rootDir>/libs/$1/src/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/.glimpse/'],
};

/** One project per kind of test (CONTRIBUTING.md says what each needs). */
const project = (displayName, testMatch, more = {}) => ({ ...base, displayName, testMatch, ...more });

/** For tests that start whole services: a failure shows what the services said. */
const withServices = { testEnvironment: './test/environment.mjs' };

export default {
  // Jest has one for all projects. Tests wait for conditions, so only a test that hangs takes this long.
  testTimeout: 120_000,
  projects: [
    project('unit', ['<rootDir>/{apps,libs,scripts,examples}/**/*.spec.ts']),
    project('integration', ['<rootDir>/{apps,libs}/**/*.int-spec.ts']),
    project('e2e', ['<rootDir>/test/e2e/**/*.e2e-spec.ts'], withServices),
    project('compat', ['<rootDir>/test/compat/**/*.compat-spec.ts'], withServices),
    project('fault', ['<rootDir>/test/fault/**/*.fault-spec.ts'], withServices),
  ],
};
