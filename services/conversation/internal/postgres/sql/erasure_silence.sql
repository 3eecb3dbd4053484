-- Nothing is answered any more. A worker that holds a turn has lost it, and what it does is over when its lease would have been.
with held as (
    update turns set lease_token = null, answer_id = null, due_at = now() + interval '1 hour'
    where conversation_id = any ($1::text[]::uuid[]) and lease_until > now()
), told as (
    -- what rag does not know yet it need not know
    update messages set feedback_told = feedback where feedback <> feedback_told and conversation_id = any ($1::text[]::uuid[])
)
delete from turns where conversation_id = any ($1::text[]::uuid[]) and (lease_until is null or lease_until <= now())
