-- name: count_testers
-- How many people of a workspace get tests.
select count(*) from testers where workspace = :workspace

-- name: page_testers
-- Who gets tests, by userId, from a place on.
select user_id, since from testers
where workspace = :workspace and user_id > :after
order by user_id limit :limit

-- name: add_tester
-- They get tests from now on; who does already stays as they are.
insert into testers (workspace, user_id, since) values (:workspace, :user_id, :since)
on conflict (workspace, user_id) do nothing

-- name: remove_tester
-- They get no tests any more.
delete from testers where workspace = :workspace and user_id = :user_id
