import { Transform } from 'class-transformer';

/**
 * The field's texts, alone or in a list, become what `form` makes of them before the rules look at
 * them. What has no canonical form stays as it is, for a rule to refuse.
 */
export function Canonical(form: (text: string) => string | null): PropertyDecorator {
  const of = (value: unknown) => (typeof value === 'string' ? (form(value) ?? value) : value);
  return Transform(({ value }: { value: unknown }) =>
    Array.isArray(value) ? value.map(of) : of(value),
  );
}
