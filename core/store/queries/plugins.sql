-- name: save_plugin_health
-- Keep how a plugin fares in one of our processes.
insert into instance (name, value) values (:name, :value)
on conflict (name) do update set value = excluded.value

-- name: list_plugin_health
-- How plugins fare, in every process that has told.
select name, value from instance where name like 'plugin:%' order by name

-- name: forget_plugin_health
-- A process has ended, or has not told for long.
delete from instance where name {in:names text}
