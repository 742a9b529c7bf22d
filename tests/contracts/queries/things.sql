-- name: create_things
-- The table that the contract of the store is tried on.
create table things (id text not null primary key, number bigint, document {json}, flag boolean)

-- name: create_others
-- A second table, to be kept in step with the first.
create table others (id text primary key, number bigint not null)

-- name: add_thing
-- One thing.
insert into things (id, number, document, flag) values (:id, :number, :document, :flag)

-- name: add_number
-- A thing with a number only.
insert into things (id, number) values (:id, :number)

-- name: save_things
-- Many things, over what is there.
insert into things (id, number, document, flag)
{rows: id text, number bigint, document json, flag boolean}
on conflict (id) do update
set number = excluded.number, document = excluded.document, flag = excluded.flag

-- name: list_things
-- All of them.
select id, number, document, flag from things order by id

-- name: count_things
-- How many there are.
select count(*) from things

-- name: find_things
-- Those with one of these ids.
select id from things where id {in:ids text} order by id

-- name: find_numbers
-- Those with one of these numbers.
select id from things where number {in:numbers bigint} order by id

-- name: match_things
-- Those with one of these pairs of id and number.
select wanted.note, things.id
from {pairs:keys id text, number bigint, note text} as wanted
join things on things.id = wanted.id and things.number = wanted.number
order by things.id

-- name: add_absent_things
-- Those that were not there; gives their ids.
insert into things (id, number, document, flag)
select id, number, document, flag
from {pairs:given id text, number bigint, document json, flag boolean}
where true
on conflict (id) do nothing
returning id

-- name: raise_number
-- Count up; gives the new number.
update things set number = number + cast(:by as bigint) where id = :id returning number

-- name: raise_above
-- Count up whatever is above; through a common table expression.
with high as (select id from things where number > cast(:floor as bigint))
update things set number = number + 1 where id in (select id from high)

-- name: set_number
-- Overwrite one number.
update things set number = :number where id = :id

-- name: lock_thing
-- Read one number, to be changed in this transaction.
select number from things where id = :id {for_update}

-- name: delete_things
-- All of them.
delete from things

-- name: save_other
-- Keep the second table in step.
insert into others (id, number) values (:id, :number)
on conflict (id) do update set number = excluded.number

-- name: list_others
-- All of them.
select id, number from others order by id

-- name: ask_literals
-- Colons and braces in text and comments are not parameters.
select ':id {json} '':x''', /* :y {in:} */ cast(:value as text) -- :z

-- name: take_long
-- A second or more of work, for a cancellation to interrupt.
with recursive numbers (n) as (
    select 1 union all select n + 1 from numbers where n < 100000000
)
select count(*) from numbers

-- name: table_names
-- The tables of the schema, by SQLite's catalogue.
select name from sqlite_schema where type = 'table' order by name

-- name: table_names [postgres]
-- The tables of the schema, by PostgreSQL's.
select tablename from pg_tables where schemaname = 'public' order by tablename

-- name: name_database [postgres]
-- PostgreSQL: who we are there.
select pg_backend_pid(), current_database()

-- name: name_database [sqlite]
-- SQLite: the same shape, with nothing to tell.
select 0, ''

-- name: instance_values
-- What the first migration made up.
select value from instance order by name

-- name: workspace_ids
-- The workspaces.
select id from workspaces
