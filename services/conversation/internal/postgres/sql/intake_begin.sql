-- What time it is, and whether anybody is to be told of what came in. Without parameters it is planned once for each connection.
select now(), exists (select from subscriptions where enabled and 'message.received' = any (event_types))
