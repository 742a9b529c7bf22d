-- name: list_received [sqlite]
-- The same, by way of the index.
select k.workspace, k.profile_id, d.handed_at, d.class
from {pairs:keys workspace text, profile_id text, since bigint} as k
join deliveries d indexed by deliveries_by_profile
  on d.workspace = k.workspace and d.profile_id = k.profile_id
where d.planned_at >= k.since - 31622400000 and d.handed_at >= k.since and not d.test
  and d.state in
  ('handed', 'in_doubt', 'accepted', 'delivered', 'undelivered', 'bounced', 'expired')
order by k.workspace, k.profile_id, d.handed_at, d.class

-- name: list_received
-- What people were sent at or after an instant; of what was planned a year before it, nothing.
select k.workspace, k.profile_id, d.handed_at, d.class
from {pairs:keys workspace text, profile_id text, since bigint} as k
join deliveries d
  on d.workspace = k.workspace and d.profile_id = k.profile_id
where d.planned_at >= k.since - 31622400000 and d.handed_at >= k.since and not d.test
  and d.state in
  ('handed', 'in_doubt', 'accepted', 'delivered', 'undelivered', 'bounced', 'expired')
order by k.workspace, k.profile_id, d.handed_at, d.class
