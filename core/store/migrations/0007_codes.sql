-- Lists of promo codes that operators upload. total, given: how many codes it has, and how many of
-- them are somebody's; whoever adds or gives codes holds the list's row.
create table code_lists (
    workspace text not null, id text not null, name text not null,
    total bigint not null, given bigint not null, created_at bigint not null,
    primary key (workspace, id)
) {clustered};
create unique index code_lists_by_name on code_lists (workspace, name);

-- delivery: whose the code is, for good (the first one, where others go in its place).
create table codes (
    id {serial}, workspace text not null, list text not null, code text not null,
    delivery text, given_at bigint
);
create unique index codes_by_code on codes (workspace, list, code);
create unique index codes_by_delivery on codes (workspace, delivery) where delivery is not null;
create index codes_free on codes (workspace, list, id) where delivery is null;

-- Whom test sends go to, by userId.
create table testers (
    workspace text not null, user_id text not null, since bigint not null,
    primary key (workspace, user_id)
) {clustered};
