-- How fast each provider (a section of the settings) is sent to by all processes together, and until
-- when it asked to be left alone. spent_until: microseconds; the others of this file: milliseconds.
create table provider_paces (
    name text primary key, spent_until bigint not null, paused_until bigint not null
) {clustered};

-- What providers said of messages, by its id: nothing is heard twice, however often it is sent.
create table feedback_heard (
    workspace text not null, id text not null, at bigint not null, primary key (workspace, id)
) {clustered};
create index feedback_heard_by_time on feedback_heard (at);

-- What providers said of messages that they name by an id of theirs which nobody has told us yet: a
-- receipt may overtake the answer to its message. at: when it came.
create table early_feedback (
    workspace text not null, id text not null, provider text not null, provider_id text not null,
    at bigint not null, body text not null, primary key (workspace, id)
) {clustered};
create index early_feedback_by_time on early_feedback (at);
