-- name: make_paces
-- A row for each provider; those that there are stay as they are.
insert into provider_paces (name, spent_until, paused_until)
{rows: name text, spent_until bigint, paused_until bigint}
on conflict (name) do nothing

-- name: find_paces
-- How fast providers are sent to, and until when they want nothing.
select name, spent_until, paused_until from provider_paces where name {in:names text}

-- name: lock_paces
-- The same, held until the end of the transaction.
select name, spent_until, paused_until from provider_paces where name {in:names text}
order by name {for_update}

-- name: spend_paces
-- Slots are taken; the caller holds the rows.
insert into provider_paces (name, spent_until, paused_until)
{rows: name text, spent_until bigint, paused_until bigint}
on conflict (name) do update set spent_until = excluded.spent_until

-- name: keep_pauses
-- A provider asked to be left alone; of two ends the later stands.
insert into provider_paces (name, spent_until, paused_until)
{rows: name text, spent_until bigint, paused_until bigint}
on conflict (name) do update set paused_until = excluded.paused_until
where provider_paces.paused_until < excluded.paused_until
