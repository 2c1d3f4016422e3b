import { ValidateBy } from 'class-validator';

/** A rule of our own for one field. `holds` gets the whole object, too, to compare fields. */
export function rule(
  name: string,
  holds: (value: unknown, object: Record<string, unknown>) => boolean,
  message: string | ((value: unknown) => string),
): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (value, args) => holds(value, (args?.object ?? {}) as Record<string, unknown>),
      defaultMessage: (args) => (typeof message === 'string' ? message : message(args?.value)),
    },
  });
}
