import { Column, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A timezone that some client is in, with a small number for the messages' rows. */
@Entity('zones')
export class Zone {
  @PrimaryGeneratedColumn('identity', { type: 'int', primaryKeyConstraintName: 'zones_pkey' })
  id: number;

  /** IANA name. */
  @Column('text', { unique: true })
  name: string;
}
