-- name: page_deliveries
-- The ledger by time of planning, newest first, from a place on; a null filter lets all pass.
select d.id, d.source, d.campaign, d.version, d.step, d.run, d.profile_id, p.user_id, d.channel,
       d.class, d.promise, d.test, d.state, d.reason, d.provider, d.provider_id, d.due_at,
       d.expires_at, d.attempt, d.resends, d.planned_at, d.updated_at, d.handed_at, d.accepted_at,
       d.triggered_at, d.device, d.request_id, d.reactions
from deliveries d
left join profiles p on p.workspace = d.workspace and p.id = d.profile_id
where d.workspace = :workspace and (d.planned_at, d.id) < (:before_at, :before_id)
  and (cast(:campaign as text) is null or d.campaign = :campaign)
  and (cast(:channel as text) is null or d.channel = :channel)
  and (cast(:reason as text) is null or d.reason = :reason)
  and (cast(:any_state as boolean) or d.state {in:states text})
order by d.planned_at desc, d.id desc limit :limit

-- name: page_deliveries_of_profile
-- The same for one person.
select d.id, d.source, d.campaign, d.version, d.step, d.run, d.profile_id, p.user_id, d.channel,
       d.class, d.promise, d.test, d.state, d.reason, d.provider, d.provider_id, d.due_at,
       d.expires_at, d.attempt, d.resends, d.planned_at, d.updated_at, d.handed_at, d.accepted_at,
       d.triggered_at, d.device, d.request_id, d.reactions
from deliveries d
left join profiles p on p.workspace = d.workspace and p.id = d.profile_id
where d.workspace = :workspace and d.profile_id = :profile
  and (d.planned_at, d.id) < (:before_at, :before_id)
  and (cast(:campaign as text) is null or d.campaign = :campaign)
  and (cast(:channel as text) is null or d.channel = :channel)
  and (cast(:reason as text) is null or d.reason = :reason)
  and (cast(:any_state as boolean) or d.state {in:states text})
order by d.planned_at desc, d.id desc limit :limit

-- name: read_delivery
-- One delivery, and after its columns what only the full record shows.
select d.id, d.source, d.campaign, d.version, d.step, d.run, d.profile_id, p.user_id, d.channel,
       d.class, d.promise, d.test, d.state, d.reason, d.provider, d.provider_id, d.due_at,
       d.expires_at, d.attempt, d.resends, d.planned_at, d.updated_at, d.handed_at, d.accepted_at,
       d.triggered_at, d.device, d.request_id, d.reactions, d.gates, d.context, d.worker,
       d.generation
from deliveries d
left join profiles p on p.workspace = d.workspace and p.id = d.profile_id
where d.workspace = :workspace and d.id = :id

-- name: explain_deliveries
-- The last judgement of each delivery of a person, newest first.
select id, campaign, version, step, channel, provider, state, reason, test, due_at, planned_at,
       updated_at, gates
from deliveries
where workspace = :workspace and profile_id = :profile
  and (cast(:campaign as text) is null or campaign = :campaign)
order by planned_at desc, id desc limit :limit

-- name: read_links
-- What the tracked links of a delivery lead to, by index.
select context from deliveries where workspace = :workspace and id = :id

-- name: sum_delivery_counts
-- Figures by the dimensions that are asked for; of the others, '' or 0.
select
  case when cast(:by_campaign as boolean) then campaign else '' end,
  case when cast(:by_step as boolean) then step else '' end,
  case when cast(:by_channel as boolean) then channel else '' end,
  case when cast(:by_provider as boolean) then provider else '' end,
  case when cast(:by_reason as boolean) then reason else '' end,
  case when cast(:by_hour as boolean) then hour else 0 end,
  kind, name, cast(sum(count) as bigint)
from delivery_counts
where workspace = :workspace and hour >= :first_hour and hour < :end_hour
  and (cast(:campaign as text) is null or campaign = :campaign)
group by 1, 2, 3, 4, 5, 6, 7, 8
having sum(count) <> 0
order by 1, 2, 3, 4, 5, 6, 7, 8

-- name: explain_refusals
-- Why triggers did not begin runs for a person.
select campaign, version, reason, at, count, saw from refusals
where workspace = :workspace and profile_id = :profile
  and (cast(:campaign as text) is null or campaign = :campaign)
order by at desc, campaign, reason limit :limit

-- name: explain_runs
-- Runs of a person that wait, or ended before anything was planned.
select r.id, r.campaign, r.version, r.step, r.state, r.reason, r.due_at, r.triggered_at,
       r.device, r.context, r.updated_at
from runs r
where r.workspace = :workspace and r.profile_id = :profile
  and (cast(:campaign as text) is null or r.campaign = :campaign)
  and r.state in ('waiting', 'cancelled')
  and not exists (
    select 1 from deliveries d
    where d.workspace = r.workspace and d.profile_id = r.profile_id
      and d.campaign = r.campaign and d.run = r.id)
order by r.updated_at desc, r.id desc limit :limit
