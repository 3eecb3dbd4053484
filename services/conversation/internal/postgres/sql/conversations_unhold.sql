-- The customer wrote again: what was held is open with the new messages.
update conversations set held_from = null where id = any ($1::text[]::uuid[])
