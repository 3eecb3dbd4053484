-- An answer that failed may have gone out all the same: it is sent again under its old request id, never composed anew. One that
-- was sent twice without a known outcome gets a new one: channels sends a request twice at most, and a person has decided now.
with again as (
    update messages set state = 'sending', error = '',
                        request_id = case when error = 'OUTCOME_UNKNOWN' then gen_random_uuid() else request_id end
    where id = $2 and state = 'failed' and purpose = 'reply'
    returning id
)
update turns set answer_id = again.id from again where turns.conversation_id = $1
