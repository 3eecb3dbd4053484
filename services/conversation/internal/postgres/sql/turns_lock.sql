-- Waits for whoever is storing an answer in these conversations, so that what follows sees it.
select from turns where conversation_id = any ($1::text[]::uuid[]) order by conversation_id for update
