-- A customer's BSUID was made anew. If the new one has written already it is a user of its own: users are never merged.
update users set external_id = $3
where integration_id = $1 and external_id = $2
  and not exists (select from users where integration_id = $1 and external_id = $3)
