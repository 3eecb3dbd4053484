-- An answer that failed may have gone out all the same: it is sent again under its old request id, never composed anew.
with again as (
    update messages set state = 'sending', error = '' where id = $2 and state = 'failed' and purpose = 'reply'
    returning id
)
update turns set answer_id = again.id from again where turns.conversation_id = $1
