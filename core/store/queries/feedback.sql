-- name: find_heard
-- Which of these things providers have said before.
select id from feedback_heard where workspace = :workspace and id {in:ids text}

-- name: add_heard
-- What they said now.
insert into feedback_heard (workspace, id, at)
{rows: workspace text, id text, at bigint}
on conflict (workspace, id) do nothing

-- name: forget_heard
-- What they said long ago.
delete from feedback_heard where at < cast(:before as bigint)

-- name: keep_early
-- What they said of messages that are not known by their id yet; gives what was not there.
insert into early_feedback (workspace, id, provider, provider_id, at, body)
select workspace, id, provider, provider_id, at, body
from {pairs:rows workspace text, id text, provider text, provider_id text, at bigint, body text}
where true
on conflict (workspace, id) do nothing
returning id

-- name: find_early [sqlite]
-- The same, by way of the indexes.
select e.workspace, e.id
from early_feedback e indexed by early_feedback_by_time
cross join deliveries d indexed by deliveries_by_provider_id
  on d.provider = e.provider and d.provider_id = e.provider_id
where d.workspace = e.workspace and e.at >= cast(:since as bigint)
order by e.at limit cast(:limit as bigint)

-- name: find_early
-- Of what came since then, that whose message is known now.
select e.workspace, e.id
from early_feedback e
join deliveries d on d.provider = e.provider and d.provider_id = e.provider_id
where d.workspace = e.workspace and e.at >= cast(:since as bigint)
order by e.at limit cast(:limit as bigint)

-- name: take_early
-- Take them out.
delete from early_feedback
where (workspace, id) in (select workspace, id from {pairs:keys workspace text, id text})
returning workspace, at, body

-- name: forget_early
-- Nobody will tell whose it was.
delete from early_feedback where at < cast(:before as bigint)
