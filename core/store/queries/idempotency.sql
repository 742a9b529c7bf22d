-- name: begin_answer
-- Note that a request with this key is being worked on; nothing happens where the key is known.
insert into idempotency (workspace, credential, key, fingerprint, created_at)
values (:workspace, :credential, :key, :fingerprint, :now)
on conflict (workspace, credential, key) do nothing

-- name: find_answer
-- What is known of a key.
select fingerprint, status, body, created_at from idempotency
where workspace = :workspace and credential = :credential and key = :key {for_update}

-- name: restart_answer
-- Take over a key whose request never ended, or whose time is over.
update idempotency set fingerprint = :fingerprint, status = null, body = null, created_at = :now
where workspace = :workspace and credential = :credential and key = :key

-- name: store_answer
-- Keep the answer for the next request with this key.
update idempotency set status = :status, body = :body
where workspace = :workspace and credential = :credential and key = :key

-- name: forget_answer
-- The request failed: the key is free again.
delete from idempotency
where workspace = :workspace and credential = :credential and key = :key and status is null

-- name: forget_old_answers
-- Keys whose time is over.
delete from idempotency where created_at < :before
