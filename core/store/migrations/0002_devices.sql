-- What the devices of a person said, by device id: the last user of a device holds it, with its push
-- address (core/people/devices.py). Not part of `state`: when a device was seen changes with every
-- message, and is no change of the person.
alter table profiles add column devices {json} not null default '{}';

-- Which profile holds a device.
create table devices (
    workspace text not null, id text not null, profile_id text not null,
    primary key (workspace, id)
) {clustered};

-- Which device told a push address last. key: a hash, for addresses may have 4 KiB. at, tie: when it
-- was told, once the device has told another. dead_at: until when a provider knew nothing of it.
create table push_addresses (
    workspace text not null, key text not null, device text not null,
    at bigint not null, tie bigint not null, dead_at bigint, dead_reason text not null,
    primary key (workspace, key)
) {clustered};
