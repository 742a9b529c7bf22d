-- name: load_position
-- How far a partition of a stream has been applied.
select position, epoch from positions where stream = :stream and partition = :partition

-- name: advance_position
-- The fence: nothing happens where another position stands than the caller thinks.
insert into positions (stream, partition, position, epoch)
values (:stream, :partition, :new, :epoch)
on conflict (stream, partition)
do update set position = excluded.position, epoch = excluded.epoch
where positions.position = :old

-- name: take_lease
-- Take a lease that is free or run out, or lengthen one's own.
insert into leases (name, holder, until) values (:name, :holder, :until)
on conflict (name) do update set holder = excluded.holder, until = excluded.until
where leases.holder = excluded.holder or leases.until <= cast(:now as bigint)

-- name: drop_lease
-- Give back a lease of one's own.
delete from leases where name = :name and holder = :holder

-- name: drop_old_leases
-- Leases of workers that died long ago; nothing of theirs is left.
delete from leases where name like 'worker:%' and until <= cast(:before as bigint)

-- name: list_leases
-- Who works on what, for whoever looks.
select name, holder, until from leases order by name
