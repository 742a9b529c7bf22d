-- name: save_fallbacks
-- When to look at deliveries; of one that is there already, anew.
insert into fallbacks (workspace, delivery, due_at)
{rows: workspace text, delivery text, due_at bigint}
on conflict (workspace, delivery) do update set due_at = excluded.due_at

-- name: next_fallback
-- When the next is due.
select min(due_at) from fallbacks

-- name: list_due_fallbacks
-- Whose deliveries are to be looked at now; a delivery that is gone has nobody.
select f.workspace, f.delivery, d.profile_id from fallbacks f
left join deliveries d on d.workspace = f.workspace and d.id = f.delivery
where f.due_at <= cast(:now as bigint)
order by f.due_at limit cast(:limit as bigint)

-- name: lock_due_fallbacks
-- Of these, the ones that are still there and due; held until the end.
select f.workspace, f.delivery from fallbacks f
where (f.workspace, f.delivery) in
    (select workspace, delivery from {pairs:keys workspace text, delivery text})
  and f.due_at <= cast(:now as bigint)
order by f.workspace, f.delivery {for_update}

-- name: move_fallback
-- Another delivery is to be looked at in the place of one.
update fallbacks set delivery = :new where workspace = :workspace and delivery = :old

-- name: drop_fallbacks
-- Nothing more is to be looked at.
delete from fallbacks where (workspace, delivery) in
    (select workspace, delivery from {pairs:keys workspace text, delivery text})

-- name: drop_withdrawn_fallbacks [sqlite]
-- The same, by way of the index.
delete from fallbacks where (workspace, delivery) in (
    select d.workspace, d.id
    from {pairs:keys workspace text, profile_id text, campaign text, until bigint, same_device boolean, device text} as k
    join deliveries d indexed by deliveries_by_profile
      on d.workspace = k.workspace and d.profile_id = k.profile_id
    where (k.campaign is null or d.campaign = k.campaign)
      and (k.until is null or coalesce(d.triggered_at, d.planned_at) <= k.until)
      and (not k.same_device or d.device is null or d.device = k.device))

-- name: drop_withdrawn_fallbacks
-- What find_withdrawn finds, sent or not, has no next channel any more.
delete from fallbacks where (workspace, delivery) in (
    select d.workspace, d.id
    from {pairs:keys workspace text, profile_id text, campaign text, until bigint, same_device boolean, device text} as k
    join deliveries d on d.workspace = k.workspace and d.profile_id = k.profile_id
    where (k.campaign is null or d.campaign = k.campaign)
      and (k.until is null or coalesce(d.triggered_at, d.planned_at) <= k.until)
      and (not k.same_device or d.device is null or d.device = k.device))
