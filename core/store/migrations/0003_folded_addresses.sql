-- address is the form in which addresses are compared; given, the one that came, is what is shown.
alter table suppressions add column given text;
update suppressions set given = address;
delete from suppressions where channel = 'email' and exists (
    select 1 from suppressions other
    where other.workspace = suppressions.workspace and other.channel = suppressions.channel
      and lower(other.address) = lower(suppressions.address)
      and other.address < suppressions.address);
update suppressions set address = lower(address) where channel = 'email';
