-- Something came in meanwhile: a new turn, due when its burst is over.
update turns set
    first_position = case when first_position < $3 then first_position else $2 + 1 end,
    opened_at = now(), due_at = greatest(due_at, now()), attempt = 0, crashes = 0, discards = 0, last_error = '',
    answer_id = null, lease_token = null, lease_until = null
where conversation_id = $1 and seq > $2
