/** Which module may import what: docs/adr/0001 says why. Every exception here is a decision, not a convenience. */

const anyOf = (names) => `(?:${names.join('|')})`;
const libs = (...names) => `^libs/${anyOf(names)}/`;
const npm = (...names) => `(^|/)node_modules/${anyOf(names)}/`;

/** Test code may use everything; the bench and the servers for tests are set up as the tests do. */
const TESTS = '(spec|\\.conformance)\\.ts$|^test/|^libs/testing/|^scripts/(bench|fuzz|services|test)/';

const basics = ['contracts', 'config', 'observability'];
const everyLibrary = [
  ...basics,
  'bus',
  'persistence',
  'stores',
  'inspector',
  'nbd',
  'pipeline',
  'policy',
  'runtime',
];
const without = (...names) => everyLibrary.filter((name) => !names.includes(name));

/** What each part may import of ours beside itself. */
const mayImport = {
  'libs/contracts': [],
  'libs/config': ['contracts'],
  'libs/observability': ['contracts'],
  'libs/bus': basics,
  'libs/persistence': basics,
  'libs/stores': basics,
  'libs/inspector': basics,
  'libs/nbd': [],
  'libs/pipeline': [...basics, 'stores', 'inspector'],
  'libs/policy': ['contracts'],
  'libs/runtime': [...basics, 'bus'],
  'apps/api-gateway': without('persistence', 'policy', 'nbd'),
  'apps/store-worker': without('persistence', 'policy'),
  // Of the stores it knows which one a location is in; it opens none.
  'apps/registry': without('inspector', 'pipeline', 'nbd'),
  'apps/manage': [...basics, 'bus', 'persistence', 'policy'],
  'apps/embedded': ['config', 'runtime'],
};

const boundaries = Object.entries(mayImport).map(([part, allowed]) => ({
  name: `${part.replace('/', '-')}-imports`,
  comment: `${part} may import of ours only: ${allowed.join(', ') || 'nothing'}`,
  severity: 'error',
  from: { path: `^${part}/`, pathNot: TESTS },
  to: {
    path: '^(apps|libs)/',
    pathNot: [
      `^${part}/`,
      ...(allowed.length > 0 ? [libs(...allowed)] : []),
      ...(part === 'apps/embedded' ? ['^apps/[^/]+/src/bootstrap\\.ts$'] : []),
    ],
  },
}));

/** A package, and the only parts that may import it. */
const packageHomes = [
  [
    ['typeorm', 'libsql', 'mysql2'],
    ['libs/persistence', 'apps/registry', 'apps/manage'],
  ],
  [['amqplib'], ['libs/bus']],
  [
    ['@aws-sdk/client-s3', '@aws-sdk/s3-request-presigner'],
    ['libs/stores/src/drivers/s3', 'libs/testing'],
  ],
  [['@nestjs/microservices'], ['libs/bus', 'libs/runtime']],
  [
    ['fastify', '@nestjs/platform-fastify'],
    ['apps/api-gateway', 'libs/runtime'],
  ],
];

const packages = packageHomes.map(([names, homes]) => ({
  name: `${names[0].replace('@', '').replace('/', '-')}-only-at-home`,
  comment: `${names.join(', ')} may be imported only in ${homes.join(', ')}`,
  severity: 'error',
  from: { path: '^(apps|libs)/', pathNot: [`^${anyOf(homes)}/`, TESTS] },
  to: { path: npm(...names) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'resolvable',
      comment: 'an import that leads nowhere would escape every other rule',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'contracts-need-only-zod',
      severity: 'error',
      from: { path: '^libs/contracts/', pathNot: TESTS },
      to: { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer'], pathNot: npm('zod') },
    },
    {
      name: 'no-development-packages',
      comment: 'apps and libs run where only `dependencies` are installed',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: TESTS },
      to: { dependencyTypes: ['npm-dev', 'npm-unknown', 'npm-no-pkg'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'libraries-by-their-index',
      comment: 'a library is entered by src/index.ts alone',
      severity: 'error',
      from: { path: '^(apps|libs|test|scripts)/([^/]+)' },
      to: {
        path: '^libs/',
        pathNot: [
          '^libs/[^/]+/src/index\\.ts$',
          '^$1/$2/',
          // Scripts run from the sources, which they can not where there are decorators, as behind the index of that library.
          '^libs/bus/src/asyncapi/asyncapi-document\\.ts$',
        ],
      },
    },
    {
      name: 'testing-only-in-tests',
      severity: 'error',
      from: { pathNot: TESTS },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'conformance-only-in-tests',
      severity: 'error',
      from: { pathNot: TESTS },
      to: { path: '(spec|\\.conformance)\\.ts$' },
    },
    {
      name: 'apps-are-ends',
      comment: 'nobody imports an app, but embedded its bootstrap',
      severity: 'error',
      from: { pathNot: ['^apps/', TESTS] },
      to: { path: '^apps/' },
    },
    ...boundaries,
    ...packages,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
