-- name: page_suppressions
-- Addresses that get nothing, by channel and address, from a place on.
select channel, coalesce(given, address), reason, at from suppressions
where workspace = :workspace and (channel, address) > (:after_channel, :after_address)
  and (cast(:channel as text) is null or channel = :channel)
order by channel, address limit :limit

-- name: find_suppression
-- Whether an address gets nothing.
select channel, coalesce(given, address), reason, at from suppressions
where workspace = :workspace and channel = :channel and address = :address

-- name: put_suppression
-- Send nothing to an address any more; the first reason stays.
insert into suppressions (workspace, channel, address, reason, at, given)
values (:workspace, :channel, :address, :reason, :at, :given)
on conflict (workspace, channel, address) do nothing

-- name: remove_suppression
-- Let an address receive again.
delete from suppressions
where workspace = :workspace and channel = :channel and address = :address
