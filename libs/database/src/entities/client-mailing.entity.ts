import { Entity, PrimaryColumn } from 'typeorm';

/**
 * Which mailings have messages for a client, written by a trigger on the messages. `key` is the
 * client's id, or, below zero, stands for 256 clients: those with `id >> 8 = -1 - key`.
 */
@Entity('client_mailings')
export class ClientMailing {
  @PrimaryColumn('bigint', { primaryKeyConstraintName: 'client_mailings_pkey' })
  key: number;

  @PrimaryColumn('bigint', {
    name: 'mailing_id',
    primaryKeyConstraintName: 'client_mailings_pkey',
  })
  mailingId: number;
}
