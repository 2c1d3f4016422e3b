import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { DockerfileParser, JSONInstruction, ModifiableInstruction } from 'dockerfile-ast';
import { parse } from 'yaml';

export interface Service {
  image: string;
  scale?: number;
  networks?: string[];
  tmpfs?: string[];
  read_only?: boolean;
  command?: string;
  environment?: Record<string, string>;
  ports?: string[];
  profiles?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  restart?: string;
  stop_grace_period?: string;
  volumes?: string[];
}

export interface ComposeFile {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  volumes: Record<string, null>;
}

export function readCompose(): ComposeFile {
  return parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as ComposeFile;
}

/** The services that run our image. */
export function ourServices(compose = readCompose()): [string, Service][] {
  return Object.entries(compose.services).filter(([, { image }]) => image === 'posthorn');
}

/** Every `${NAME:-default}`, `${NAME-}` and `${NAME:?words}` of a text, and the text with the values put in. */
export function interpolate(text: string, values: Record<string, string | undefined> = {}) {
  const used: { name: string; fallback: string }[] = [];
  const result = text.replaceAll(
    /\$\{([A-Z_]+)(?:(:-|-|:\?)([^}]*))?\}/g,
    (_, name: string, operator: string, words: string | undefined) => {
      const fallback = operator === ':?' ? '' : (words ?? '');
      used.push({ name, fallback });
      return values[name] ?? fallback;
    },
  );
  return { result, used };
}

/** Read by the containers of others, or by compose itself. */
export const CONTAINER_VARIABLES = [
  'POSTGRES_USER',
  'POSTGRES_DB',
  'POSTGRES_PASSWORD',
  'REDIS_PASSWORD',
  'PUBLISH_ADDRESS',
];

/** `.env.example`: the values that are set, and those that are only shown after a `#`. */
export function readEnvExample() {
  const text = readFileSync('.env.example', 'utf8');
  const shown = text.replaceAll(/^#(?=[A-Z_]+=)/gm, '');
  return {
    set: parseEnv(text) as Record<string, string>,
    all: parseEnv(shown) as Record<string, string>,
    names: [...text.matchAll(/^#?([A-Z_]+)=/gm)].map(([, name]) => name ?? ''),
  };
}

export interface Instruction {
  name: string;
  /** The arguments; a JSON array's strings where it is one. */
  words: string[];
  /** `--from=build` as `{ from: 'build' }`. */
  flags: Record<string, string>;
  /** Everything after the name, as it stands there. */
  text: string;
}

export function readDockerfile(): Instruction[] {
  return DockerfileParser.parse(readFileSync('Dockerfile', 'utf8'))
    .getInstructions()
    .map((instruction) => {
      const json = instruction instanceof JSONInstruction ? instruction.getJSONStrings() : [];
      const flags = instruction instanceof ModifiableInstruction ? instruction.getFlags() : [];
      return {
        name: instruction.getKeyword(),
        words:
          json.length > 0
            ? json.map((word) => word.getJSONValue())
            : instruction.getArguments().map((argument) => argument.getValue()),
        flags: Object.fromEntries(flags.map((flag) => [flag.getName(), flag.getValue() ?? ''])),
        text: instruction.getArgumentsContent() ?? '',
      };
    });
}

/** The files of a folder that `docker build` would be given: the last pattern that matches decides. */
export function buildContext(files: string[]): string[] {
  const patterns = readFileSync('.dockerignore', 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ kept: line.startsWith('!'), glob: line.replace(/^!/, '') }));
  return files.filter((file) => {
    const folders = file.split('/').map((_, n, parts) => parts.slice(0, n + 1).join('/'));
    const decisive = patterns.findLast(({ glob }) => folders.some((path) => matches(path, glob)));
    return decisive?.kept ?? true;
  });
}

/** Docker's patterns: unlike in a shell, a star matches names with a leading dot too. */
function matches(path: string, glob: string): boolean {
  const pattern = glob
    .replaceAll('.', '\\.')
    .replaceAll('**/', '\0')
    .replaceAll('*', '[^/]*')
    .replaceAll('\0', '(?:.*/)?');
  return new RegExp(`^${pattern}$`).test(path);
}
