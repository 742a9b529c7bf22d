-- name: make_tolls
-- A row for each provider; those that there are stay as they are.
insert into death_tolls (provider, sends, deaths, old_sends, old_deaths, held_since, trusted_until)
{rows: provider text, sends bigint, deaths bigint, old_sends bigint, old_deaths bigint, held_since bigint, trusted_until bigint}
on conflict (provider) do nothing

-- name: lock_tolls
-- What providers called dead lately, held until the end of the transaction.
select provider, sends, deaths, old_sends, old_deaths, held_since, trusted_until
from death_tolls where provider {in:providers text}
order by provider {for_update}

-- name: save_tolls
-- What it is now; the caller holds the rows.
insert into death_tolls (provider, sends, deaths, old_sends, old_deaths, held_since, trusted_until)
{rows: provider text, sends bigint, deaths bigint, old_sends bigint, old_deaths bigint, held_since bigint, trusted_until bigint}
on conflict (provider) do update
set sends = excluded.sends, deaths = excluded.deaths,
    old_sends = excluded.old_sends, old_deaths = excluded.old_deaths,
    held_since = excluded.held_since, trusted_until = excluded.trusted_until

-- name: list_held_tolls
-- The providers whose word is not carried out, and how many addresses that concerns.
select t.provider, t.sends, t.deaths, t.old_sends, t.old_deaths, t.held_since, t.trusted_until,
    (select count(*) from held_deaths h where h.provider = t.provider)
from death_tolls t where t.held_since is not null
order by t.provider

-- name: hold_deaths
-- Addresses that are not buried for now; the first word stays.
insert into held_deaths (provider, workspace, channel, key, address, at, why)
{rows: provider text, workspace text, channel text, key text, address text, at bigint, why text}
on conflict (provider, workspace, channel, key) do nothing

-- name: take_held_deaths
-- Some of what is held of a provider, taken out.
delete from held_deaths
where provider = :provider and (workspace, channel, key) in (
    select workspace, channel, key from held_deaths where provider = :provider
    order by workspace, channel, key limit :limit
)
returning workspace, channel, address, at, why

-- name: drop_held_deaths
-- What a provider said does not count.
delete from held_deaths where provider = :provider

-- name: forget_held_deaths
-- What nobody has decided on for long.
delete from held_deaths where at < cast(:before as bigint)
