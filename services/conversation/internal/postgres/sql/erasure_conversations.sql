-- The conversations that are the customer's alone: by the user, or in a chat that bears their id, where the platform hid who wrote.
select id from conversations where user_id = $1 and not is_group
union
select id from conversations where integration_id = $2 and chat_id = any ($3::bigint[]) and not is_group
order by id
