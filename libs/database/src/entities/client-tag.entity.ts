import { Entity, Index, JoinColumn, ManyToOne, PrimaryColumn, type Relation } from 'typeorm';
import { Client } from './client.entity.js';
import { Tag } from './tag.entity.js';

/** Which client has which tag. The index serves audiences by tag in order of client. */
@Entity('client_tags')
@Index('client_tags_tag_id_client_id', ['tagId', 'clientId'])
export class ClientTag {
  @PrimaryColumn('bigint', { name: 'client_id', primaryKeyConstraintName: 'client_tags_pkey' })
  clientId: number;

  @PrimaryColumn('int', { name: 'tag_id', primaryKeyConstraintName: 'client_tags_pkey' })
  tagId: number;

  @ManyToOne(() => Client, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'client_id', foreignKeyConstraintName: 'client_tags_client_id_fkey' })
  client?: Relation<Client>;

  @ManyToOne(() => Tag, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'tag_id', foreignKeyConstraintName: 'client_tags_tag_id_fkey' })
  tag?: Relation<Tag>;
}
