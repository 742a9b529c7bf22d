-- name: add_delivery_counts
-- Move the counters by the given differences; a key stands once in the rows, in the keys' order.
insert into delivery_counts
    (workspace, hour, campaign, step, channel, provider, kind, name, reason, shard, count)
{rows: workspace text, hour bigint, campaign text, step text, channel text, provider text,
 kind text, name text, reason text, shard integer, count bigint}
on conflict (workspace, hour, campaign, step, channel, provider, kind, name, reason, shard)
do update set count = delivery_counts.count + excluded.count
