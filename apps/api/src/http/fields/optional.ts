import { ValidateIf } from 'class-validator';

/** The field may be left out. Unlike `IsOptional` it may not be null, which would mean nothing. */
export function MayBeMissing(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined);
}

/** The field may be left out or null, which mean the same. */
export function MayBeNone(): PropertyDecorator {
  return ValidateIf((_, value) => value !== undefined && value !== null);
}
