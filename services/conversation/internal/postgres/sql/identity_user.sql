-- A customer's BSUID was made anew; the old one still finds them. If the new one has written already it is a user of its own:
-- users are never merged.
with renamed as (
    update users set external_id = $3
    where integration_id = $1 and external_id = $2
      and not exists (select from users where integration_id = $1 and external_id = $3)
    returning id
)
insert into former_ids (integration_id, external_id, user_id)
select $1, $2, id from renamed
on conflict (integration_id, external_id) do update set user_id = excluded.user_id
