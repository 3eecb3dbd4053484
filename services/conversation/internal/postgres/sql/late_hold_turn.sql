insert into turns (conversation_id, integration_id, first_position, seq, due_at)
select id, integration_id, $2::bigint + 1, $2, now() from conversations where id = $1
on conflict (conversation_id) do nothing
