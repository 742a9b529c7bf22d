-- name: plan_deliveries
-- New rows; one that is there already stays as it is. Gives the ids that were not there.
insert into deliveries
    (workspace, id, source, campaign, version, step, run, profile_id, channel, class, promise,
     test, state, reason, provider, due_at, expires_at, generation, attempt, resends, hour,
     planned_at, updated_at, triggered_at, device, context, gates, reactions, request_id)
select workspace, id, source, campaign, version, step, run, profile_id, channel, class, promise,
     test, 'planned', '', '', due_at, expires_at, 0, 0, 0, hour,
     planned_at, planned_at, triggered_at, device, context, '[]', '{}', request_id
from {pairs:rows workspace text, id text, source text, campaign text, version integer, step text,
      run text, profile_id text, channel text, class text, promise text, test boolean,
      due_at bigint, expires_at bigint, hour bigint, planned_at bigint, triggered_at bigint,
      device text, context json, request_id text}
where true
on conflict do nothing
returning workspace, id

-- name: lock_due_deliveries
-- What a channel has to send now (columns: lock_deliveries), but for what others are claiming.
select d.workspace, d.id, d.state, d.reason, d.provider, d.provider_id, d.due_at, d.worker,
       d.generation, d.attempt, d.resends, d.handed_at, d.accepted_at, d.source, d.campaign,
       d.version, d.step, d.profile_id, d.channel, d.class, d.promise, d.test, d.expires_at,
       d.hour, d.triggered_at, d.device, d.request_id, d.context
from deliveries d
where d.channel = :channel and d.state in ('planned', 'held') and d.due_at <= cast(:now as bigint)
order by d.due_at limit cast(:limit as bigint) {skip_locked}

-- name: find_expired_deliveries
-- What nobody has claimed although its time is over.
select workspace, id from deliveries
where channel {in:channels text} and state in ('planned', 'held')
  and due_at <= cast(:due_before as bigint) and expires_at <= cast(:expired_before as bigint)
order by due_at limit cast(:limit as bigint)

-- name: list_waiting_channels
-- Channels with anything unsent, one look into the index for each.
with recursive waiting (channel) as (
    select min(channel) from deliveries where state in ('planned', 'held')
    union all
    select (select min(d.channel) from deliveries d
            where d.state in ('planned', 'held') and d.channel > waiting.channel)
    from waiting where waiting.channel is not null
)
select channel from waiting where channel is not null

-- name: find_deliveries_of_worker
-- What a worker has claimed and not yet handed over, on one channel or (null) on all.
select workspace, id from deliveries
where worker = :worker and state in ('claimed', 'handed') and state = 'claimed'
  and (cast(:channel as text) is null or channel = :channel)

-- name: find_orphans [sqlite]
-- The same, by way of the index of what is in flight.
select d.workspace, d.id from deliveries d indexed by deliveries_by_worker
where d.state in ('claimed', 'handed')
  and not exists (
    select 1 from leases l
    where l.name = 'worker:' || d.worker and l.until > cast(:now as bigint))
order by d.workspace, d.id limit cast(:limit as bigint)

-- name: find_orphans
-- What is in the hands of workers whose leases have run out.
select d.workspace, d.id from deliveries d
where d.state in ('claimed', 'handed')
  and not exists (
    select 1 from leases l
    where l.name = 'worker:' || d.worker and l.until > cast(:now as bigint))
order by d.workspace, d.id limit cast(:limit as bigint) {skip_locked}

-- name: find_withdrawn [sqlite]
-- The same; without figures on the tables SQLite would look through the whole workspace.
select distinct d.workspace, d.id
from {pairs:keys workspace text, profile_id text, campaign text, until bigint, same_device boolean, device text} as k
join deliveries d indexed by deliveries_by_profile
  on d.workspace = k.workspace and d.profile_id = k.profile_id
where (k.campaign is null or d.campaign = k.campaign)
  and (k.until is null or coalesce(d.triggered_at, d.planned_at) <= k.until)
  and (not k.same_device or d.device is null or d.device = k.device)
  and d.state in ('planned', 'held', 'claimed')

-- name: find_withdrawn
-- What was triggered for these people and campaigns (null: any) at or before `until` and is unsent.
select distinct d.workspace, d.id
from {pairs:keys workspace text, profile_id text, campaign text, until bigint, same_device boolean, device text} as k
join deliveries d on d.workspace = k.workspace and d.profile_id = k.profile_id
where (k.campaign is null or d.campaign = k.campaign)
  and (k.until is null or coalesce(d.triggered_at, d.planned_at) <= k.until)
  and (not k.same_device or d.device is null or d.device = k.device)
  and d.state in ('planned', 'held', 'claimed')

-- name: find_by_provider_id [sqlite]
-- The same, by way of the index.
select d.provider, d.provider_id, d.id
from {pairs:keys provider text, provider_id text} as k
join deliveries d indexed by deliveries_by_provider_id
  on d.provider = k.provider and d.provider_id = k.provider_id
where d.workspace = :workspace

-- name: find_by_provider_id
-- Deliveries of a workspace by what their providers call them.
select d.provider, d.provider_id, d.id
from {pairs:keys provider text, provider_id text} as k
join deliveries d on d.provider = k.provider and d.provider_id = k.provider_id
where d.workspace = :workspace

-- name: lock_deliveries
-- Rows as core.delivery.record.Delivery has them, held until the end of the transaction.
select d.workspace, d.id, d.state, d.reason, d.provider, d.provider_id, d.due_at, d.worker,
       d.generation, d.attempt, d.resends, d.handed_at, d.accepted_at, d.source, d.campaign,
       d.version, d.step, d.profile_id, d.channel, d.class, d.promise, d.test, d.expires_at,
       d.hour, d.triggered_at, d.device, d.request_id, d.context
from deliveries d
where (d.workspace, d.id) in (select workspace, id from {pairs:keys workspace text, id text})
order by d.workspace, d.id {for_update}

-- name: read_planning
-- When and by which run a delivery was planned.
select d.planned_at, d.run from deliveries d where d.workspace = :workspace and d.id = :id

-- name: lock_standings
-- What may have changed of rows that the caller has read before; held until the end.
select d.workspace, d.id, d.state, d.reason, d.provider, d.generation, d.profile_id,
       d.provider_id
from deliveries d
where (d.workspace, d.id) in (select workspace, id from {pairs:keys workspace text, id text})
order by d.workspace, d.id {for_update}

-- name: claim_deliveries
-- Make them a worker's; the caller holds the rows. A new generation fences off earlier workers.
update deliveries set
    state = 'claimed', reason = '', worker = :worker, generation = generation + 1,
    updated_at = cast(:now as bigint)
where (workspace, id) in (select workspace, id from {pairs:keys workspace text, id text})

-- name: move_deliveries [sqlite]
-- The same; a row after another, found by its first two values.
update deliveries set (
    state, reason, provider, provider_id, due_at, worker, generation, attempt, resends,
    handed_at, accepted_at, updated_at
) = (
    select column3, column4, column5, column6, column7, column8, column9, column10, column11,
           column12, column13, column14
    from ({rows: workspace text, id text, state text, reason text, provider text, provider_id text,
           due_at bigint, worker text, generation integer, attempt integer, resends integer,
           handed_at bigint, accepted_at bigint, updated_at bigint})
)
where workspace = ?1 and id = ?2

-- name: move_deliveries
-- Write what moves; the caller holds the rows.
with r (workspace, id, state, reason, provider, provider_id, due_at, worker, generation, attempt,
        resends, handed_at, accepted_at, updated_at) as (
    {rows: workspace text, id text, state text, reason text, provider text, provider_id text,
           due_at bigint, worker text, generation integer, attempt integer, resends integer,
           handed_at bigint, accepted_at bigint, updated_at bigint}
)
update deliveries set
    state = r.state, reason = r.reason, provider = r.provider, provider_id = r.provider_id,
    due_at = r.due_at, worker = r.worker, generation = r.generation, attempt = r.attempt,
    resends = r.resends, handed_at = r.handed_at, accepted_at = r.accepted_at,
    updated_at = r.updated_at
from r where deliveries.workspace = r.workspace and deliveries.id = r.id

-- name: judge_deliveries [sqlite]
-- The same; a row after another, found by its first two values.
update deliveries set (
    state, reason, provider, provider_id, due_at, worker, generation, attempt, resends,
    handed_at, accepted_at, updated_at, gates, context
) = (
    select column3, column4, column5, column6, column7, column8, column9, column10, column11,
           column12, column13, column14, column15, column16
    from ({rows: workspace text, id text, state text, reason text, provider text, provider_id text,
           due_at bigint, worker text, generation integer, attempt integer, resends integer,
           handed_at bigint, accepted_at bigint, updated_at bigint,
           gates json, context json})
)
where workspace = ?1 and id = ?2

-- name: judge_deliveries
-- The same after a judgement: with every gate's verdict, and what the message was made from.
with r (workspace, id, state, reason, provider, provider_id, due_at, worker, generation, attempt,
        resends, handed_at, accepted_at, updated_at, gates, context) as (
    {rows: workspace text, id text, state text, reason text, provider text, provider_id text,
           due_at bigint, worker text, generation integer, attempt integer, resends integer,
           handed_at bigint, accepted_at bigint, updated_at bigint,
           gates json, context json}
)
update deliveries set
    state = r.state, reason = r.reason, provider = r.provider, provider_id = r.provider_id,
    due_at = r.due_at, worker = r.worker, generation = r.generation, attempt = r.attempt,
    resends = r.resends, handed_at = r.handed_at, accepted_at = r.accepted_at,
    updated_at = r.updated_at, gates = r.gates, context = r.context
from r where deliveries.workspace = r.workspace and deliveries.id = r.id

-- name: save_contexts [sqlite]
-- The same; a row after another, found by its first two values.
update deliveries set context = (
    select column3 from ({rows: workspace text, id text, context json})
)
where workspace = ?1 and id = ?2

-- name: save_contexts
-- What messages were made from, with which providers have tried them.
with r (workspace, id, context) as ({rows: workspace text, id text, context json})
update deliveries set context = r.context
from r where deliveries.workspace = r.workspace and deliveries.id = r.id

-- name: read_profiles_for_delivery
-- The people that messages go to.
select p.workspace, p.id, p.user_id, p.attributes, p.state, p.devices, p.revision, p.merged_into
from profiles p
where (p.workspace, p.id) in (select workspace, id from {pairs:keys workspace text, id text})

-- name: lock_revisions
-- Whether people are as the gates saw them; nobody changes them until the end.
select p.workspace, p.id, p.revision
from profiles p
where (p.workspace, p.id) in (select workspace, id from {pairs:keys workspace text, id text})
order by p.workspace, p.id {for_update}

-- name: count_recent_deliveries [sqlite]
-- The same, by way of the index.
select k.workspace, k.profile_id, k.campaign, k.since, count(*)
from {pairs:keys workspace text, profile_id text, campaign text, since bigint} as k
join deliveries d indexed by deliveries_by_profile
  on d.workspace = k.workspace and d.profile_id = k.profile_id and d.campaign = k.campaign
where d.handed_at >= k.since and not d.test and d.state in
  ('handed', 'in_doubt', 'accepted', 'delivered', 'undelivered', 'bounced', 'expired')
group by k.workspace, k.profile_id, k.campaign, k.since

-- name: count_recent_deliveries
-- How many messages of a campaign a person was sent at or after `since`.
select k.workspace, k.profile_id, k.campaign, k.since, count(*)
from {pairs:keys workspace text, profile_id text, campaign text, since bigint} as k
join deliveries d
  on d.workspace = k.workspace and d.profile_id = k.profile_id and d.campaign = k.campaign
where d.handed_at >= k.since and not d.test and d.state in
  ('handed', 'in_doubt', 'accepted', 'delivered', 'undelivered', 'bounced', 'expired')
group by k.workspace, k.profile_id, k.campaign, k.since

-- name: move_profile_deliveries [sqlite]
-- The same, by way of the index.
update deliveries indexed by deliveries_by_profile set profile_id = :to_profile
where workspace = :workspace and profile_id = :from_profile

-- name: move_profile_deliveries
-- Somebody's messages are another's now: the two profiles became one.
update deliveries set profile_id = :to_profile
where workspace = :workspace and profile_id = :from_profile

-- name: find_claimed_of_profile [sqlite]
-- The same, by way of the index.
select workspace, id from deliveries indexed by deliveries_by_profile
where workspace = :workspace and profile_id = :profile and state = 'claimed'

-- name: find_claimed_of_profile
-- What a worker is about to send to somebody.
select workspace, id from deliveries
where workspace = :workspace and profile_id = :profile and state = 'claimed'

-- name: read_handed
-- To whom deliveries went that were handed over.
select id, profile_id, channel, context from deliveries
where (workspace, id) in (select workspace, id from {pairs:keys workspace text, id text})
  and handed_at is not null

-- name: read_reactions
-- What people did with messages so far: {kind: [first_at, count]}.
select workspace, id, reactions from deliveries
where (workspace, id) in (select workspace, id from {pairs:keys workspace text, id text})

-- name: save_reactions [sqlite]
-- The same; a row after another, found by its first two values.
update deliveries set reactions = (
    select column3 from ({rows: workspace text, id text, reactions json})
)
where workspace = ?1 and id = ?2

-- name: save_reactions
-- What they did, once more.
with r (workspace, id, reactions) as ({rows: workspace text, id text, reactions json})
update deliveries set reactions = r.reactions
from r where deliveries.workspace = r.workspace and deliveries.id = r.id

-- name: find_suppressed
-- Which of these addresses get nothing.
select s.workspace, s.channel, s.address, s.reason
from {pairs:keys workspace text, channel text, address text} as k
join suppressions s
  on s.workspace = k.workspace and s.channel = k.channel and s.address = k.address

-- name: add_suppressions
-- Send nothing to these addresses any more; the first reason stays.
insert into suppressions (workspace, channel, address, reason, at, given)
{rows: workspace text, channel text, address text, reason text, at bigint, given text}
on conflict (workspace, channel, address) do nothing

-- name: read_campaign_states
-- Whether campaigns may send now, and what they are called.
select c.workspace, c.id, c.state, c.name
from {pairs:keys workspace text, id text} as k
join campaigns c on c.workspace = k.workspace and c.id = k.id

-- name: read_definitions
-- Definitions of some versions.
select v.workspace, v.id, v.version, v.definition
from {pairs:keys workspace text, id text, version integer} as k
join campaign_versions v
  on v.workspace = k.workspace and v.id = k.id and v.version = k.version
