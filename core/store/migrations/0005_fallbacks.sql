-- When to see whether somebody reacted to a delivery, before the next channel is tried.
create table fallbacks (
    workspace text not null, delivery text not null, due_at bigint not null,
    primary key (workspace, delivery)
) {clustered};
create index fallbacks_by_due on fallbacks (due_at);
