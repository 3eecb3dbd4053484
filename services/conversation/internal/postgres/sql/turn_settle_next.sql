-- Closes the turn's claim but keeps it due: the message that was decided just now goes out next.
update turns set lease_token = null, lease_until = null, due_at = now(), attempt = 0, crashes = 0, last_error = $2
where conversation_id = $1
