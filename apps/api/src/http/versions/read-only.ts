import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import { Allow } from 'class-validator';
import { invalidFields } from '../problems/invalid-fields.js';

const fields = new WeakMap<object, string[]>();

/**
 * A field of an answer that may come back in a PUT, so that what was read can be sent as it is. It is
 * ignored; `refuseReadOnlyChanges` refuses another value.
 */
export function ReadOnly(): PropertyDecorator {
  return applyDecorators(
    Allow(),
    ApiProperty({ readOnly: true, required: false }),
    (target: object, key: string | symbol) => {
      fields.set(target, [...(fields.get(target) ?? []), String(key)]);
    },
  );
}

/**
 * @param resource as it is answered.
 * @throws DomainError `invalid` that names each read-only field with another value than the resource's
 */
export function refuseReadOnlyChanges(dto: object, resource: object): void {
  const given = dto as Record<string, unknown>;
  const current = resource as Record<string, unknown>;
  const changed = (fields.get(Object.getPrototypeOf(dto) as object) ?? []).filter(
    (name) => given[name] !== undefined && !isSame(given[name], current[name]),
  );
  if (changed.length === 0) return;
  throw invalidFields(
    changed.map((path) => ({
      path,
      message: `is read-only, and is ${JSON.stringify(current[path])} now: leave it out or as you read it`,
    })),
  );
}

function isSame(given: unknown, current: unknown): boolean {
  if (!(current instanceof Date)) return given === current;
  return typeof given === 'string' && Date.parse(given) === current.getTime();
}
