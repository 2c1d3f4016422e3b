import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryGeneratedColumn,
  type Relation,
  UpdateDateColumn,
} from 'typeorm';
import { Zone } from './zone.entity.js';

/** A person who can receive messages. `zone_id` follows `timezone` by a trigger. */
@Entity('clients')
@Check('clients_phone_format', `phone ~ '^7[0-9]{10}$'`)
@Check('clients_operator_code_format', `operator_code ~ '^[0-9]{1,10}$'`)
@Index('clients_operator_code_id', ['operatorCode', 'id'])
export class Client {
  @PrimaryGeneratedColumn('identity', { type: 'bigint', primaryKeyConstraintName: 'clients_pkey' })
  id: number;

  @Column('text', { unique: true })
  phone: string;

  @Column('text', { name: 'operator_code' })
  operatorCode: string;

  @Column('text')
  timezone: string;

  @Column('int', { name: 'zone_id' })
  zoneId: number;

  @ManyToOne(() => Zone)
  @JoinColumn({ name: 'zone_id', foreignKeyConstraintName: 'clients_zone_id_fkey' })
  zone?: Relation<Zone>;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @UpdateDateColumn({ name: 'updated_at', type: 'timestamptz' })
  updatedAt: Date;
}
