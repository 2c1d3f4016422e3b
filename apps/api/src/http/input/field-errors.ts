import { getMetadataStorage, type ValidationError } from 'class-validator';
import type { FieldError } from '@app/platform';

/** Rules about the type of a value: where one fails, the others mean nothing. */
const TYPE_RULES = [
  'isArray',
  'isObject',
  'isString',
  'isBoolean',
  'isInt',
  'isNumber',
  'isInstant',
];

/** One entry per wrong field, list elements by their index: `filter.tags[0]`. */
export function fieldErrorsOf(failures: ValidationError[], prefix = ''): FieldError[] {
  return failures.flatMap((failure) => {
    const path = join(prefix, failure);
    return [...ownErrors(failure, path), ...fieldErrorsOf(failure.children ?? [], path)];
  });
}

function join(prefix: string, { property, target }: ValidationError): string {
  if (Array.isArray(target)) return `${prefix}[${property}]`;
  return prefix === '' ? property : `${prefix}.${property}`;
}

/** A rule for `each` element fails as a whole: each is checked again, to name those that fail. */
function placesOf({ target, property, value }: ValidationError, rule: string): string[] {
  if (!Array.isArray(value) || !target) return [''];
  const storage = getMetadataStorage();
  const eachRules = storage
    .getTargetValidationMetadatas(target.constructor, '', false, false)
    .filter((entry) => entry.propertyName === property && entry.each);
  const found = eachRules
    .map(({ constraintCls, constraints }) => ({
      constraints: constraints as unknown[],
      constraint: storage.getTargetValidatorConstraints(constraintCls)[0],
    }))
    .find(({ constraint }) => constraint?.name === rule);
  if (!found) return [''];
  const { constraint, constraints } = found;
  const wrong = value.flatMap((element: unknown, index) => {
    const about = { value: element, constraints, targetName: '', object: target, property };
    return constraint?.instance.validate(element, about) === true ? [] : [`[${index}]`];
  });
  return wrong.length > 0 ? wrong : [''];
}

function ownErrors(failure: ValidationError, path: string): FieldError[] {
  const { constraints = {}, property } = failure;
  const value: unknown = failure.value;
  if (value === undefined && failure.constraints) return [{ path, message: 'is required' }];
  const faults = Object.entries(constraints).flatMap(([rule, message]) =>
    placesOf(failure, rule).map((place) => ({ rule, place, message: plain(message, property) })),
  );
  const byPlace = Map.groupBy(faults, ({ place }) => place);
  return [...byPlace].map(([place, list]) => {
    const type = TYPE_RULES.find((name) => list.some(({ rule }) => rule === name));
    const shown = type === undefined ? list : list.filter(({ rule }) => rule === type);
    const messages = new Set(shown.map(({ message }) => message));
    return { path: path + place, message: [...messages].join('; ') };
  });
}

/** The path says which field it is; the message need not repeat it. */
function plain(message: string, property: string): string {
  const own = message.replace(/^each value in /, '');
  return own.startsWith(`${property} `) ? own.slice(property.length + 1) : own;
}
