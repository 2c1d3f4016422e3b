import importX from 'eslint-plugin-import-x';
import regexp from 'eslint-plugin-regexp';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import tseslint from 'typescript-eslint';

/**
 * The one list of our libraries, in the order of the layout: each imports from those before it only.
 * Paths, aliases and tests find them by their folder.
 */
const LIBRARIES = [
  'platform',
  'database',
  'audit',
  'idempotency',
  'queue',
  'channels',
  'lanes',
  'audience',
  'messages',
  'identity',
  'directory',
  'mailings',
  'engine',
  'reports',
  'testkit',
];
/** Of those before it, what a library has no business with. */
const UNKNOWN_TO = { channels: ['database', 'queue'], reports: ['engine'] };

/** Imports point one way: what each part may import besides packages and itself. */
const MAY_IMPORT = {
  ...Object.fromEntries(
    LIBRARIES.map((library, index) => [
      `libs/${library}`,
      LIBRARIES.slice(0, index).filter((other) => !UNKNOWN_TO[library]?.includes(other)),
    ]),
  ),
  ...Object.fromEntries(
    ['api', 'worker', 'beat'].map((app) => [
      `apps/${app}`,
      LIBRARIES.filter((library) => library !== 'testkit'),
    ]),
  ),
  'apps/simulator': ['platform'],
};

const directions = Object.entries(MAY_IMPORT).map(([part, allowed]) => ({
  files: [`${part}/**/*.ts`],
  ignores: ['**/*.spec.ts', '**/*.conformance.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          { group: ['@app/*/**'], message: 'Import a library through its index.' },
          ...LIBRARIES.filter((library) => !allowed.includes(library)).map((library) => ({
            group: [`@app/${library}`],
            message: `${part} may import ${allowed.join(', ') || 'no library of ours'}.`,
          })),
        ],
      },
    ],
  },
}));

/** No relative path leads from one part into another; libraries are reached by their alias. */
const partZones = Object.keys(MAY_IMPORT).flatMap((part) =>
  Object.keys(MAY_IMPORT)
    .filter((other) => other !== part)
    .filter((other) => !(MAY_IMPORT[part] ?? []).includes(other.replace('libs/', '')))
    .map((other) => ({ target: `./${part}`, from: `./${other}` })),
);

const INJECTED_TIME = [
  {
    selector: "MemberExpression[object.name='Date'][property.name='now']",
    message: 'Time is injected: use Clock.',
  },
  {
    selector: "NewExpression[callee.name='Date'][arguments.length=0]",
    message: 'Time is injected: use Clock.',
  },
];

/** A loop that waits within stops at the first thing that fails, and all behind it wait with it. */
const ON_ITS_OWN = [
  ':matches(ForOfStatement, ForInStatement) > .body AwaitExpression',
  "CallExpression[callee.object.name='Promise'][callee.property.name='all'] > CallExpression[callee.property.name='map']",
].map((selector) => ({
  selector,
  message: 'Work on many mailings, reports or lanes goes through Isolated (libs/platform).',
}));

/** A method of a service reads, and its name says so, or it is told who changes something. */
const ACTOR_FIRST = {
  selector:
    "ClassDeclaration[id.name=/Service$/] > ClassBody > MethodDefinition[kind='method'][accessibility!='private']" +
    '[key.name!=/^(get|list|find|read|preview|messages|day|general|mailing)$|^(get|list|find|read)[A-Z]/]' +
    " > FunctionExpression:not([params.0.name='actor'][params.0.typeAnnotation.typeAnnotation.typeName.name='Actor'])",
  message:
    'Who changes something takes `actor: Actor` first; what only reads is named get, list, find or read.',
};

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'coverage/**', 'apps/web/**', '**/*.cjs'] },
  {
    // Somebody else chooses the text, or will one day: every pattern takes linear time.
    files: ['**/*.ts', '**/*.mjs'],
    plugins: { regexp },
    rules: {
      'regexp/no-super-linear-backtracking': ['error', { report: 'potential' }],
      'regexp/no-super-linear-move': ['error', { report: 'potential', ignoreSticky: false }],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    settings: {
      'import-x/resolver-next': [createTypeScriptImportResolver({ project: 'tsconfig.json' })],
    },
    rules: {
      'no-console': 'error',
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'import-x/no-cycle': 'error',
      'import-x/no-restricted-paths': ['error', { zones: partZones }],
      '@typescript-eslint/no-extraneous-class': 'off', // Nest modules are empty classes
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'off', // decorator metadata needs value imports
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only libs/platform/src/config reads the environment.',
        },
      ],
    },
  },
  ...directions,
  {
    files: ['libs/**/*.ts'],
    ignores: ['**/*.spec.ts', '**/*.conformance.ts', 'libs/{platform,queue,channels,testkit}/**'],
    rules: {
      'no-restricted-syntax': ['error', ...INJECTED_TIME],
    },
  },
  {
    files: ['libs/{messages,engine,reports}/**/*.ts', 'apps/{beat,worker}/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...INJECTED_TIME, ...ON_ITS_OWN],
    },
  },
  {
    files: [
      'libs/{identity,directory,mailings}/**/*.service.ts',
      'libs/lanes/src/channel.service.ts',
      'libs/reports/src/report.service.ts',
    ],
    rules: {
      'no-restricted-syntax': ['error', ...INJECTED_TIME, ...ON_ITS_OWN, ACTOR_FIRST],
    },
  },
  {
    // A DTO is a class for its decorators' sake only: mappers fill its shape, and it has no methods.
    files: ['apps/api/src/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
    },
  },
  {
    files: ['**/*.spec.ts', '**/*.conformance.ts'],
    rules: { 'import-x/no-restricted-paths': 'off' }, // tests may use the testkit
  },
  { files: ['libs/platform/src/config/**/*.ts'], rules: { 'no-restricted-properties': 'off' } },
  {
    files: [
      'demo/**/*.ts',
      'bench/**/*.ts',
      'test/**/*.ts',
      'libs/testkit/**/*.ts',
      '**/*.spec.ts',
    ],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['demo/**/*.ts', 'bench/**/*.ts', 'test/faults/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
);
