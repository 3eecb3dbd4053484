-- In order, and before their turns.
select from conversations where id = any ($1::text[]::uuid[]) order by id for update
