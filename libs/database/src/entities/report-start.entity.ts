import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** The one row that says since when there are reports: no earlier day counts as missed. */
@Entity('report_start')
@Check('report_start_single', 'id = 1')
export class ReportStart {
  @PrimaryColumn('int', { primaryKeyConstraintName: 'report_start_pkey' })
  id: number;

  @Column('timestamptz', { default: () => 'now()' })
  since: Date;
}
