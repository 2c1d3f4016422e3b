import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Page {
  /** Relative to the root, like every path here. */
  path: string;
  text: string;
}

const FIRST_PAGES = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'];

/** What people read: the pages of the root and of `docs/`, with the decisions. */
export function readPages(): Page[] {
  const docs = readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  return [...FIRST_PAGES, ...docs].map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

/** The fenced blocks of a language, in their order. */
export function codeBlocks(text: string, language: string): string[] {
  const fence = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm');
  return [...text.matchAll(fence)].map(([, code]) => code ?? '');
}

/** What stands between backticks in running text. */
export function inlineCode(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? '');
}

/** Every code of a page, in blocks and inline. */
export function allCode(text: string): string[] {
  const blocks = [...text.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map(([, code]) => code ?? '');
  return [...blocks, ...inlineCode(text)];
}

/** Links inside the project, as paths from the root. */
export function localLinks({ path, text }: Page): { target: string; anchor: string | undefined }[] {
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/.test(link)) return [];
    const [file = '', anchor] = link.split('#');
    return [{ target: file === '' ? path : join(dirname(path), file), anchor }];
  });
}

/** The anchors that a page's headings get. */
export function anchorsOf(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** `GET /mailings/{id}` and the like; a parameter's name does not matter. */
export function routesIn(text: string): string[] {
  return allCode(text).flatMap((code) =>
    [...code.matchAll(/^(GET|POST|PUT|PATCH|DELETE) (\/[^\s?]*)/gm)].map(
      ([, method = '', path = '']) => routeKey(method, path),
    ),
  );
}

export function routeKey(method: string, path: string): string {
  return `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '{}')}`;
}
