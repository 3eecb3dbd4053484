-- The same message goes out again, before anything that waits. Whoever composes in the conversation has lost it by that.
insert into turns (conversation_id, integration_id, first_position, seq, due_at, answer_id)
select id, integration_id, $3, $4, now() + $5::float8 * interval '1 second', $2 from conversations where id = $1
on conflict (conversation_id) do update set
    first_position = least(turns.first_position, excluded.first_position), due_at = excluded.due_at, answer_id = excluded.answer_id,
    attempt = 0, crashes = 0, lease_token = null, lease_until = null
