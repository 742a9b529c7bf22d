-- name: create_campaign
-- A draft; nothing happens where that id exists.
insert into campaigns (workspace, id, version, name, state, created_at, updated_at)
values (:workspace, :id, 1, :name, 'draft', :now, :now)
on conflict (workspace, id) do nothing

-- name: add_campaign_version
-- The definition of one version, which is never changed.
insert into campaign_versions (workspace, id, version, definition, created_at)
values (:workspace, :id, :version, :definition, :now)

-- name: lock_campaign
-- A campaign with its present definition, held until the end of the transaction.
select c.id, c.version, c.name, c.state, c.created_at, c.updated_at, c.activated_at, v.definition
from campaigns c
join campaign_versions v
  on v.workspace = c.workspace and v.id = c.id and v.version = c.version
where c.workspace = :workspace and c.id = :id {for_update}

-- name: read_campaign
-- A campaign with its present definition.
select c.id, c.version, c.name, c.state, c.created_at, c.updated_at, c.activated_at, v.definition
from campaigns c
join campaign_versions v
  on v.workspace = c.workspace and v.id = c.id and v.version = c.version
where c.workspace = :workspace and c.id = :id

-- name: read_campaign_version
-- The definition of one version.
select definition from campaign_versions
where workspace = :workspace and id = :id and version = :version

-- name: page_campaigns
-- Campaigns, newest first, from a place on.
select c.id, c.version, c.name, c.state, c.created_at, c.updated_at, c.activated_at, v.definition
from campaigns c
join campaign_versions v
  on v.workspace = c.workspace and v.id = c.id and v.version = c.version
where c.workspace = :workspace and (c.created_at, c.id) < (:before_at, :before_id)
  and (cast(:state as text) is null or c.state = :state)
order by c.created_at desc, c.id desc limit :limit

-- name: revise_campaign
-- Make a new version the present one.
update campaigns set version = :version, name = :name, updated_at = :now
where workspace = :workspace and id = :id

-- name: set_campaign_state
-- Move a campaign to another state.
update campaigns set state = :state, updated_at = :now,
  activated_at = case when :state = 'active' then :now else activated_at end
where workspace = :workspace and id = :id

-- name: active_campaigns
-- All campaigns that react to events, with their present definitions.
select c.workspace, c.id, c.version, c.name, c.activated_at, v.definition
from campaigns c
join campaign_versions v
  on v.workspace = c.workspace and v.id = c.id and v.version = c.version
where c.state = 'active' order by c.workspace, c.id

-- name: read_definitions_revision
-- Which edition of the definitions is in force.
select value from instance where name = 'definitions_revision'

-- name: bump_definitions_revision
-- Say that the definitions changed.
insert into instance (name, value) values ('definitions_revision', '1')
on conflict (name) do update set value = cast(cast(instance.value as bigint) + 1 as text)

-- name: campaign_totals
-- What is counted of a campaign's runs.
select name, cast(sum(count) as bigint) from campaign_counts
where workspace = :workspace and campaign = :campaign group by name
