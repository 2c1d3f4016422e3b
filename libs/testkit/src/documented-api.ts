import { readFileSync } from 'node:fs';
import addFormats from 'ajv-formats';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

/** An answer of the API as it came, the body parsed where it is JSON. */
export interface ApiAnswer {
  method: string;
  /** With its query. */
  path: string;
  status: number;
  headers: Headers;
  body: unknown;
}

interface Reference {
  $ref: string;
}
interface Header {
  required?: boolean;
}
interface Response {
  headers?: Record<string, Header | Reference>;
  content?: Record<string, { schema: object }>;
}
interface Operation {
  responses: Record<string, Response | Reference>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: {
    schemas: Record<string, object>;
    responses: Record<string, Response>;
    headers: Record<string, Header>;
  };
}

const ROOT = 'api';
const PROBLEM = { $ref: '#/components/schemas/ProblemDto' };
const PROBLEM_TYPE = 'application/problem+json';
/** What is served and is no part of the document. */
const NOT_DOCUMENTED = /^\/($|(docs|docs-json|docs-yaml|redoc|health|metrics|queues)(\/|$))/;
/** What any request can be refused with by the server, whatever route it is for. */
const BY_THE_SERVER = [405, 408, 413, 414, 415, 431];
/** And where there is no such route. */
const WITHOUT_ROUTE = [...BY_THE_SERVER, 400, 401, 404];

/** Compares answers of a running API with `docs/openapi.json`. */
export class DocumentedApi {
  private readonly ajv = new Ajv2020({ strict: false, allErrors: true });
  private readonly validators = new Map<string, ValidateFunction>();
  private readonly templates: { pattern: RegExp; item: Record<string, Operation> }[];

  constructor(private readonly document: Document) {
    addFormats(this.ajv);
    const schemas = Object.entries(document.components.schemas).map(([name, schema]) => [
      name,
      closed(schema),
    ]);
    this.ajv.addSchema({
      $id: ROOT,
      components: { schemas: Object.fromEntries(schemas) as object },
    });
    this.templates = Object.entries(document.paths)
      .sort(([one], [other]) => Number(one.includes('{')) - Number(other.includes('{')))
      .map(([path, item]) => ({ pattern: patternOf(path), item }));
  }

  /** How the answer differs from the document; empty when it does not. */
  faultsOf(answer: ApiAnswer): string[] {
    const path = answer.path.split('?', 1)[0] ?? '';
    const method = answer.method.toLowerCase();
    const item = this.templates.find(({ pattern }) => pattern.test(path))?.item;
    const operation = item?.[method === 'head' ? 'get' : method];
    const response =
      operation && resolve(operation.responses[answer.status], this.document.components.responses);
    if (response) return this.faultsOfResponse(answer, response);
    if (!item && NOT_DOCUMENTED.test(path)) return [];
    if (!(operation ? BY_THE_SERVER : WITHOUT_ROUTE).includes(answer.status)) {
      return [`the status ${answer.status} is not declared`];
    }
    const isAllowTold = answer.status !== 405 || answer.headers.has('allow');
    return [
      ...(isAllowTold ? [] : ['the header Allow is missing']),
      ...this.faultsOfBody(answer, { [PROBLEM_TYPE]: { schema: PROBLEM } }),
    ];
  }

  private faultsOfResponse(answer: ApiAnswer, { headers = {}, content }: Response): string[] {
    const missing = Object.entries(headers).filter(
      ([name, header]) =>
        resolve(header, this.document.components.headers)?.required === true &&
        !answer.headers.has(name),
    );
    return [
      ...missing.map(([name]) => `the header ${name} is missing`),
      ...this.faultsOfBody(answer, content),
    ];
  }

  private faultsOfBody(
    { method, headers, body }: ApiAnswer,
    content: Response['content'],
  ): string[] {
    if (method.toUpperCase() === 'HEAD') return [];
    if (!content) return body === '' ? [] : ['a body is there, and none is declared'];
    const type = headers.get('content-type')?.split(';', 1)[0] ?? '';
    const media = content[type];
    if (!media) return [`the content type "${type}" is not declared`];
    const validate = this.validatorOf(media.schema);
    if (validate(body)) return [];
    return (validate.errors ?? []).map(
      ({ instancePath, message, params }) =>
        `${instancePath || 'the body'} ${message ?? ''} ${JSON.stringify(params)}`,
    );
  }

  private validatorOf(schema: object): ValidateFunction {
    const text = JSON.stringify(closed(schema)).replaceAll(
      '"#/components/',
      `"${ROOT}#/components/`,
    );
    const known = this.validators.get(text);
    if (known) return known;
    const made = this.ajv.compile(JSON.parse(text) as object);
    this.validators.set(text, made);
    return made;
  }
}

function resolve<Kind extends object>(
  given: Kind | Reference | undefined,
  shared: Record<string, Kind>,
): Kind | undefined {
  return given && '$ref' in given ? shared[given.$ref.split('/').at(-1) ?? ''] : given;
}

/** Clients may meet more fields one day; the tests want each to be declared. */
function closed(schema: object): object {
  return JSON.parse(JSON.stringify(schema), (_key, part: unknown) => {
    const isObject = typeof part === 'object' && part !== null && 'properties' in part;
    return isObject && !('additionalProperties' in part)
      ? { ...part, additionalProperties: false }
      : part;
  }) as object;
}

/** Trailing slashes are accepted. */
function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}/?$`);
}

let fromRepository: DocumentedApi | undefined;

/** @throws Error that says how the answer differs from `docs/openapi.json` */
export function assertDocumented(answer: ApiAnswer): void {
  fromRepository ??= new DocumentedApi(
    JSON.parse(readFileSync('docs/openapi.json', 'utf8')) as Document,
  );
  const faults = fromRepository.faultsOf(answer);
  if (faults.length === 0) return;
  const { method, path, status } = answer;
  throw new Error(
    `${method} ${path} ${status} is not as docs/openapi.json says:\n${faults.join('\n')}`,
  );
}
