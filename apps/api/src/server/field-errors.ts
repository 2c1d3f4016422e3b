import { getMetadataStorage, type ValidationError } from 'class-validator';
import type { FieldError } from '@app/platform';

/** One entry per wrong field, list elements by their index: `filter.tags[0]`. */
export function fieldErrorsOf(failures: ValidationError[], prefix = ''): FieldError[] {
  return failures.flatMap((failure) => {
    const path = join(prefix, failure);
    const own = Object.entries(failure.constraints ?? {}).flatMap(([rule, message]) =>
      placesOf(failure, rule).map((place) => ({
        path: path + place,
        message: plain(message, failure.property),
      })),
    );
    return [...merge(own), ...fieldErrorsOf(failure.children ?? [], path)];
  });
}

function join(prefix: string, { property, target }: ValidationError): string {
  if (Array.isArray(target)) return `${prefix}[${property}]`;
  return prefix === '' ? property : `${prefix}.${property}`;
}

/** A rule for `each` element fails as a whole; here the elements are asked again which of them it was. */
function placesOf({ target, property, value }: ValidationError, rule: string): string[] {
  if (!Array.isArray(value) || !target) return [''];
  const storage = getMetadataStorage();
  const eachRules = storage
    .getTargetValidationMetadatas(target.constructor, '', false, false)
    .filter((entry) => entry.propertyName === property && entry.each);
  const found = eachRules
    .map(({ constraintCls, constraints }) => ({
      constraints,
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

/** The path says which field it is; the message need not repeat it. */
function plain(message: string, property: string): string {
  if (message === `property ${property} should not exist`) return 'is not a known field';
  return message.replace(/^each value in /, '').replace(new RegExp(`^${escape(property)} `), '');
}

function escape(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`);
}

function merge(errors: FieldError[]): FieldError[] {
  const byPath = Map.groupBy(errors, (error) => error.path);
  return [...byPath].map(([path, list]) => ({
    path,
    message: [...new Set(list.map((error) => error.message))].join('; '),
  }));
}
