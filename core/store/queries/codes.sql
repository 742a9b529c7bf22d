-- name: create_code_list
-- An empty list; nothing happens where its id or its name exists.
insert into code_lists (workspace, id, name, total, given, created_at)
values (:workspace, :id, :name, 0, 0, :now)
on conflict do nothing

-- name: find_code_list
-- A list by its id or its name.
select id, name, total, given, created_at from code_lists
where workspace = :workspace and (id = :ref or name = :ref)

-- name: lock_code_list
-- How many codes a list has; nobody adds or gives any until the end.
select total from code_lists where workspace = :workspace and id = :id {for_update}

-- name: lock_code_lists
-- Lists by their ids or names; nobody else adds or gives codes of theirs until the end.
select l.workspace, l.id, l.name from code_lists l
where (l.workspace, l.id) in (select workspace, ref from {pairs:keys workspace text, ref text})
   or (l.workspace, l.name) in (select workspace, ref from {pairs:keys workspace text, ref text})
order by l.workspace, l.id {for_update}

-- name: page_code_lists
-- Lists, newest first, from a place on.
select id, name, total, given, created_at from code_lists
where workspace = :workspace and (created_at, id) < (:before_at, :before_id)
order by created_at desc, id desc limit :limit

-- name: add_codes
-- New codes; those that the list has stay as they are.
insert into codes (workspace, list, code)
select cast(:workspace as text), cast(:list as text), code from {pairs:codes code text}
where true
on conflict (workspace, list, code) do nothing

-- name: count_codes
-- So many more, and so many more given; the caller holds the list.
update code_lists set total = total + cast(:added as bigint), given = given + cast(:given as bigint)
where workspace = :workspace and id = :id

-- name: find_given_codes [sqlite]
-- The same, by way of the index.
select c.workspace, c.delivery, c.code
from {pairs:keys workspace text, delivery text} as k
join codes c indexed by codes_by_delivery
  on c.workspace = k.workspace and c.delivery = k.delivery

-- name: find_given_codes
-- The codes that deliveries have.
select c.workspace, c.delivery, c.code
from {pairs:keys workspace text, delivery text} as k
join codes c on c.workspace = k.workspace and c.delivery = k.delivery

-- name: list_free_codes [sqlite]
-- The same, by way of the index.
select id, code from codes indexed by codes_free
where workspace = :workspace and list = :list and delivery is null
order by id limit cast(:limit as bigint)

-- name: list_free_codes
-- Codes that are nobody's, the oldest first; the caller holds the list.
select id, code from codes
where workspace = :workspace and list = :list and delivery is null
order by id limit cast(:limit as bigint)

-- name: give_codes [sqlite]
-- The same; a row after another, found by its first value.
update codes set (delivery, given_at) = (
    select column2, column3 from ({rows: id bigint, delivery text, given_at bigint})
)
where id = ?1

-- name: give_codes
-- They are these deliveries' now; the caller holds the list.
with r (id, delivery, given_at) as ({rows: id bigint, delivery text, given_at bigint})
update codes set delivery = r.delivery, given_at = r.given_at
from r where codes.id = r.id
