-- What others in a group quoted.
update messages set details = details - 'quoted'
where conversation_id = any ($1::text[]::uuid[]) and details->>'reply_to' = any ($2::text[]) and details ? 'quoted'
