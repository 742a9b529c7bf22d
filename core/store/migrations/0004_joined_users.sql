-- Known people who were joined into others: what is said as user_id is the target's, from the
-- beginning. at: the event time of the join.
create table joined_users (
    workspace text not null, user_id text not null, target text not null, at bigint not null,
    primary key (workspace, user_id)
) {clustered};
