import type { Type } from '@nestjs/common';
import { defaultMetadataStorage } from 'class-transformer/cjs/storage.js';
import { getMetadataStorage } from 'class-validator';
import type { FieldError } from '@app/platform';
import { MAX_FIELD_ERRORS, pathTo } from '../problems/invalid-fields.js';

type Dto = Type<object>;

/** The shape of a DTO's field. */
interface Field {
  /** `@IsArray()` or `@ArrayMaxSize(n)` say that it takes a list; without the latter of no element. */
  isList: boolean;
  maxElements: number;
  /** `@Type(() => Dto)`: of the object, or of each element of the list. */
  nested: Dto | undefined;
}

/** What is wrong with the shape of a body, and the body without that. */
export interface Shape {
  errors: FieldError[];
  /** Only known fields, each a single value, a bounded list or an object whose fields are known. */
  kept: Record<string, unknown>;
}

const known = new WeakMap<Dto, Map<string, Field>>();

/** The fields of a DTO by name, from its validation rules: they are stated nowhere else. */
export function fieldsOf(dto: Dto): Map<string, Field> {
  const before = known.get(dto);
  if (before) return before;
  const fields = new Map<string, Field>();
  for (const rule of getMetadataStorage().getTargetValidationMetadatas(dto, '', false, false)) {
    const { propertyName: name } = rule;
    const field = fields.get(name) ?? {
      isList: false,
      maxElements: 0,
      nested: nestedOf(dto, name),
    };
    if (rule.name === 'isArray' || rule.name === 'arrayMaxSize') field.isList = true;
    if (rule.name === 'arrayMaxSize') field.maxElements = Number(rule.constraints[0]);
    fields.set(name, field);
  }
  known.set(dto, fields);
  return fields;
}

function nestedOf(dto: Dto, name: string): Dto | undefined {
  // Its types have it always.
  const type = defaultMetadataStorage.findTypeMetadata(dto, name) as
    { typeFunction(): unknown } | undefined;
  return type?.typeFunction() as Dto | undefined;
}

/**
 * Compares an input with the fields of its DTO, before anything is transformed: what a
 * transformer drops or copies (`constructor`, `toString`, a list of a million) is named here first.
 */
export function shapeOf(dto: Dto, value: object): Shape {
  const errors: FieldError[] = [];
  return { errors, kept: keepKnown(dto, value, '', errors) };
}

function keepKnown(dto: Dto, value: object, path: string, errors: FieldError[]) {
  const fields = fieldsOf(dto);
  const kept: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value) as [string, unknown][]) {
    if (errors.length >= MAX_FIELD_ERRORS) break;
    const field = fields.get(key);
    const at = pathTo(path, key);
    if (!field) errors.push({ path: at, message: 'is not a known field' });
    else {
      const usable = keepValue(field, item, at, errors);
      if (usable !== undefined) kept[key] = usable;
    }
  }
  return kept;
}

/** Undefined when it cannot be used at all. */
function keepValue(field: Field, value: unknown, path: string, errors: FieldError[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const fault = faultOf(field, value);
  if (fault !== null) {
    errors.push({ path, message: fault });
    return undefined;
  }
  if (!Array.isArray(value)) return field.nested && keepKnown(field.nested, value, path, errors);
  return value.map((item: unknown, index) => keepElement(field, item, `${path}[${index}]`, errors));
}

function faultOf({ isList, maxElements, nested }: Field, value: object): string | null {
  if (!Array.isArray(value)) {
    if (isList) return 'must be a list';
    return nested ? null : 'must be one value, not an object';
  }
  if (!isList) return nested ? 'must be an object' : 'must be one value, not a list';
  return value.length > maxElements ? `must have at most ${maxElements} elements` : null;
}

function keepElement(field: Field, item: unknown, path: string, errors: FieldError[]): unknown {
  if (typeof item !== 'object' || item === null || errors.length >= MAX_FIELD_ERRORS) return item;
  if (field.nested && !Array.isArray(item)) return keepKnown(field.nested, item, path, errors);
  errors.push({ path, message: field.nested ? 'must be an object' : 'must be one value' });
  return null;
}
