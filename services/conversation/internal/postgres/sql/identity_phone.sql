-- A customer's number changed. Whoever else had the new one loses it.
with loser as (
    update users set phone = null where integration_id = $1 and phone_key = $3 and phone_key <> $2
      and exists (select from users where integration_id = $1 and phone_key = $2)
    returning id
)
select count(*) from loser
