-- Who answers STOP to a text message is known by the number only.
create index profiles_by_mobile on profiles (workspace, {mobile})
where merged_into is null and {mobile} is not null;
