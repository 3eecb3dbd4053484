-- The draft is thrown away. Ingest has set due_at to the end of the burst.
update turns set discards = discards + 1, lease_token = null, lease_until = null where conversation_id = $1
