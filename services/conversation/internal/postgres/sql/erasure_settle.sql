-- The log stays, without a word of theirs.
update webhook_events
set outcome = case when outcome in ('open', 'held') then 'erased' else outcome end, processed_time = coalesce(processed_time, now()),
    error = '', response = ''
where message_id = any ($1::text[]::uuid[])
