-- The customer wrote while the window seemed closed: it is open again, and everything is answered together.
update turns set opened_at = now(), due_at = greatest(due_at, now()), attempt = 0, crashes = 0, discards = 0, last_error = '',
                 answer_id = null, lease_token = null, lease_until = null
where conversation_id = $1 and seq > $2
