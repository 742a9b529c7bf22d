-- Times are milliseconds since 1970 (UTC). {json}: jsonb on PostgreSQL, text on SQLite;
-- {serial}: a growing integer key; {clustered}: rows lie in key order where the engine can,
-- for tables of small rows; those with documents in them would take twice as long to find.

create table instance (name text primary key, value text not null);

create table workspaces (id text primary key, name text not null, created_at bigint not null);
insert into workspaces (id, name, created_at) values ('default', 'Default', 0);

create table keys (
    id text primary key, workspace text not null, kind text not null, name text not null,
    scopes {json} not null, hash text not null unique, hint text not null,
    created_at bigint not null, expires_at bigint, revoked_at bigint
);

create table idempotency (
    workspace text not null, credential text not null, key text not null, fingerprint text not null,
    status integer, body text, created_at bigint not null,
    primary key (workspace, credential, key)
);

-- How far each partition of a stream has been applied; the update of `position` is the fence.
create table positions (
    stream text not null, partition integer not null, position bigint not null, epoch text not null,
    primary key (stream, partition)
) {clustered};

-- Who works on what, and until when. A delivery's lease is that of the worker that claimed it.
create table leases (name text primary key, holder text not null, until bigint not null) {clustered};

-- kind is 'user' or 'anonymous'. Of an anonymous id, profile_id is the open anonymous profile (null
-- when everything so far belongs to someone known) and bindings is [[at, user_id], …] by time.
create table identities (
    workspace text not null, kind text not null, value text not null,
    profile_id text, bindings {json} not null,
    primary key (workspace, kind, value)
) {clustered};

-- The anonymous ids of known people, for reading.
create table known_as (
    workspace text not null, profile_id text not null, anonymous_id text not null,
    primary key (workspace, profile_id, anonymous_id)
) {clustered};

-- attributes: {name: value}. state: what the merge rules need (ranks, consents, devices).
-- revision grows whenever attributes or state change.
create table profiles (
    workspace text not null, id text not null, user_id text,
    created_at bigint not null, last_seen_at bigint not null,
    attributes {json} not null, state {json} not null,
    revision bigint not null, merged_into text,
    primary key (workspace, id)
);
create index profiles_by_last_seen on profiles (workspace, last_seen_at, id) where merged_into is null;

-- numbers: {property: [sum, min, max, latest, latest_at, count]}
create table aggregates (
    workspace text not null, profile_id text not null, event text not null,
    count bigint not null, first_at bigint not null, last_at bigint not null, numbers {json} not null,
    primary key (workspace, profile_id, event)
) {clustered};

-- The log of what was said: inbox (unique message id), timeline and source of every rebuild in one.
-- name: the event's name ('' for identify, alias, group). body: properties, or traits and operations.
create table events (
    id {serial}, workspace text not null, message_id text not null, profile_id text not null,
    at bigint not null, received_at bigint not null, kind text not null, name text not null,
    anonymous_id text, user_id text, device text, request_id text, body text not null
);
create unique index events_inbox on events (workspace, message_id);
create index events_by_profile on events (workspace, profile_id, at, id);
create index events_by_anonymous on events (workspace, anonymous_id, at) where user_id is null;

create table event_names (
    workspace text not null, name text not null, count bigint not null,
    first_at bigint not null, last_at bigint not null, primary key (workspace, name)
) {clustered};
-- slot: the half hour, counted from 1970.
create table event_counts (
    workspace text not null, name text not null, slot bigint not null, shard integer not null,
    count bigint not null, primary key (workspace, name, slot, shard)
) {clustered};
create table property_types (
    workspace text not null, event text not null, property text not null, type text not null,
    primary key (workspace, event, property)
) {clustered};
create table attribute_types (
    workspace text not null, name text not null, type text not null, primary key (workspace, name)
) {clustered};

create table rejects (
    id {serial}, workspace text not null, at bigint not null, message_id text,
    field text not null, code text not null, reason text not null, value text
);
create index rejects_by_time on rejects (workspace, at, id);

create table campaigns (
    workspace text not null, id text not null, version integer not null, name text not null,
    state text not null, created_at bigint not null, updated_at bigint not null, activated_at bigint,
    primary key (workspace, id)
) {clustered};
create table campaign_versions (
    workspace text not null, id text not null, version integer not null, definition {json} not null,
    created_at bigint not null, primary key (workspace, id, version)
);

-- One person's way through one campaign. due_at is the timer. context: the trigger's event.
create table runs (
    workspace text not null, id text not null, campaign text not null, version integer not null,
    profile_id text not null, state text not null, step text not null, due_at bigint,
    triggered_at bigint not null, device text, context {json} not null, reason text,
    request_id text, created_at bigint not null, updated_at bigint not null,
    primary key (workspace, id)
);
create index runs_by_due on runs (due_at) where state = 'waiting';
create index runs_by_profile on runs (workspace, profile_id, campaign);

-- Why a trigger did not begin a run: the last time for each reason, and how often.
create table refusals (
    workspace text not null, profile_id text not null, campaign text not null, reason text not null,
    version integer not null, at bigint not null, count bigint not null, saw {json} not null,
    primary key (workspace, profile_id, campaign, reason)
) {clustered};

create table campaign_counts (
    workspace text not null, campaign text not null, name text not null, shard integer not null,
    count bigint not null, primary key (workspace, campaign, name, shard)
) {clustered};

-- The ledger. state: see core/delivery/status.py. hour: the hour of planning, counted from 1970;
-- counters are kept under it. gates: every verdict of the last judgement, for explain.
create table deliveries (
    workspace text not null, id text not null, source text not null, campaign text not null,
    version integer not null, step text not null, run text, profile_id text not null,
    channel text not null, class text not null, promise text not null, test boolean not null,
    state text not null, reason text not null, provider text not null, provider_id text,
    due_at bigint not null, expires_at bigint not null,
    worker text, generation integer not null, attempt integer not null, resends integer not null,
    hour bigint not null, planned_at bigint not null, updated_at bigint not null,
    handed_at bigint, accepted_at bigint, triggered_at bigint, device text,
    context {json} not null, gates {json} not null, reactions {json} not null, request_id text,
    primary key (workspace, id)
);
create index deliveries_by_due on deliveries (channel, due_at) where state in ('planned', 'held');
create index deliveries_by_worker on deliveries (worker) where state in ('claimed', 'handed');
create index deliveries_by_profile on deliveries (workspace, profile_id, campaign, planned_at);
create index deliveries_by_time on deliveries (workspace, planned_at, id);
create index deliveries_by_provider_id on deliveries (provider, provider_id) where provider_id is not null;

-- kind: 'state', 'receipt' or 'reaction'; name: the state, receipt or reaction.
create table delivery_counts (
    workspace text not null, hour bigint not null, campaign text not null, step text not null,
    channel text not null, provider text not null, kind text not null, name text not null,
    reason text not null, shard integer not null, count bigint not null,
    primary key (workspace, hour, campaign, step, channel, provider, kind, name, reason, shard)
) {clustered};

create table suppressions (
    workspace text not null, channel text not null, address text not null, reason text not null,
    at bigint not null, primary key (workspace, channel, address)
) {clustered};

-- One row a transaction: [[subject, body], …], published after the commit as <id>.<index>.
create table outbox (id text primary key, messages {json} not null, created_at bigint not null);
