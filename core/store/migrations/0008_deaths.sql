-- How many of the last messages each provider (a section of the settings) called the address dead of,
-- in blocks of sends (core/delivery/tolls.py). held_since: since when its word is not carried out;
-- trusted_until: an admin has said that it is right.
create table death_tolls (
    provider text primary key,
    sends bigint not null, deaths bigint not null, old_sends bigint not null, old_deaths bigint not null,
    held_since bigint, trusted_until bigint not null
) {clustered};

-- Addresses that such a provider called dead meanwhile. key: a hash, for addresses may have 4 KiB.
create table held_deaths (
    provider text not null, workspace text not null, channel text not null, key text not null,
    address text not null, at bigint not null, why text not null,
    primary key (provider, workspace, channel, key)
) {clustered};
