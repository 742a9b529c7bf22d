-- name: find_web_push_key
-- The private key that browsers have subscribed for the public half of; none before it is first needed.
select value from instance where name = 'web_push_key'

-- name: add_web_push_key
-- Keep the instance's key; the first one stays, whoever was quicker.
insert into instance (name, value) values ('web_push_key', :value) on conflict (name) do nothing
