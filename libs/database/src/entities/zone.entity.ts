import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A timezone that some client is in, under a number small enough to stand in every message. */
@Entity('zones')
export class Zone {
  @PrimaryGeneratedColumn('identity', { type: 'int', primaryKeyConstraintName: 'zones_pkey' })
  id: number;

  /** IANA name. */
  @Column('text', { unique: true })
  name: string;
}
