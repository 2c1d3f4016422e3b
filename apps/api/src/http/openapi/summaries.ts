import type { OpenAPIObject } from '@nestjs/swagger';
import { routesOf } from './schema.js';

/** The first sentence of a handler's comment is its summary, the rest its description. */
export function splitSummaries(document: OpenAPIObject): void {
  for (const { operation } of routesOf(document)) {
    const text = (operation.summary ?? '').replaceAll(/(\S)\n(?=\S)/g, '$1 ');
    const end = /\.(?=\s|$)/.exec(text)?.index ?? text.length;
    operation.summary = text.slice(0, end);
    const rest = text.slice(end + 1).trim();
    if (rest !== '') operation.description = rest;
  }
}
