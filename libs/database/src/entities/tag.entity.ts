import { Column, CreateDateColumn, Entity, PrimaryGeneratedColumn } from 'typeorm';

/** A label on clients, for audience filters. */
@Entity('tags')
export class Tag {
  @PrimaryGeneratedColumn('identity', { type: 'int', primaryKeyConstraintName: 'tags_pkey' })
  id: number;

  @Column('text', { unique: true })
  name: string;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
