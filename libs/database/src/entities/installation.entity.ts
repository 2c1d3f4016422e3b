import { Check, Column, Entity, PrimaryColumn, Unique } from 'typeorm';

/** The id that separates this installation from others which share its Redis: one row. */
@Entity('installation')
@Unique('installation_single_key', ['single'])
@Check('installation_single', 'single')
export class Installation {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'installation_pkey' })
  id: string;

  /** Always true: there is no second row. */
  @Column('boolean', { default: true })
  single: boolean;
}
