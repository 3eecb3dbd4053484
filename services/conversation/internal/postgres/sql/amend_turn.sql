-- A draft about the old text is thrown away like after a new message, and the burst goes on.
update turns t
set seq = greatest(t.seq, $2),
    due_at = greatest(t.due_at, least(now() + $3::float8 * interval '1 second', t.opened_at + $4::float8 * interval '1 second'))
where t.conversation_id = $1 and t.answer_id is null
