insert into turns (conversation_id, integration_id, first_position, seq, due_at)
select id, integration_id, $2, $3, greatest(now(), bot_paused_until) from conversations where id = $1
on conflict (conversation_id) do update set
    first_position = least(turns.first_position, excluded.first_position), seq = greatest(turns.seq, excluded.seq),
    due_at = excluded.due_at, attempt = 0, crashes = 0
