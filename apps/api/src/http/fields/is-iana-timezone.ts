import { applyDecorators } from '@nestjs/common';
import { ValidateBy } from 'class-validator';
import { canonicalTimezone } from '@app/platform';
import { Canonical } from './canonical.js';

/** A timezone of the IANA database, spelled anyhow; read as its canonical name. */
export function IsIanaTimezone(): PropertyDecorator {
  return applyDecorators(
    Canonical(canonicalTimezone),
    ValidateBy({
      name: 'isIanaTimezone',
      validator: {
        validate: (value) => typeof value === 'string' && canonicalTimezone(value) !== null,
        defaultMessage: () => 'must be an IANA timezone, e.g. Europe/Moscow',
      },
    }),
  );
}
