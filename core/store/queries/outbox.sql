-- name: save_outbox
-- One row for a transaction: [[subject, body], …].
insert into outbox (id, messages, created_at) values (:id, :messages, :now)

-- name: list_outbox
-- What was written at or before :before and is still here, oldest first.
select id, messages from outbox
where created_at <= cast(:before as bigint)
order by created_at, id limit cast(:limit as bigint)

-- name: delete_outbox
-- Rows that were published.
delete from outbox where id {in:ids text}
