select answer_id is not null or coalesce(lease_until > now(), false) from turns where conversation_id = $1 for update
