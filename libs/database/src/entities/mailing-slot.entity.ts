import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/**
 * When a mailing may next reach the clients of one zone: `[opens_at, closes_at)`. Claims join it,
 * so an evening's close or an edited window touches one row per zone and no message. A zone that
 * cannot be reached before the end has `closes_at = '-infinity'`.
 */
@Entity('mailing_slots')
@Check('mailing_slots_order', `closes_at > opens_at OR closes_at = '-infinity'`)
export class MailingSlot {
  @PrimaryColumn('bigint', { name: 'mailing_id', primaryKeyConstraintName: 'mailing_slots_pkey' })
  mailingId: number;

  @PrimaryColumn('int', { name: 'zone_id', primaryKeyConstraintName: 'mailing_slots_pkey' })
  zoneId: number;

  @Column('timestamptz', { name: 'opens_at' })
  opensAt: Date;

  @Column('timestamptz', { name: 'closes_at' })
  closesAt: Date;
}
