import { ApiProperty } from '@nestjs/swagger';

/** The number may have decimal places. Every other number in the document is a whole one. */
export function Fraction(): PropertyDecorator {
  return ApiProperty({ format: 'double' });
}
