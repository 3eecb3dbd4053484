-- What staff wrote meanwhile goes out before anything is composed.
update turns t set
    answer_id = reply.id, due_at = now(), opened_at = least(t.opened_at, now()),
    attempt = 0, crashes = 0, discards = 0, last_error = '', lease_token = null, lease_until = null
from (
    select id from messages where conversation_id = $1 and purpose = 'staff' and state = 'sending' order by position limit 1
) as reply
where t.conversation_id = $1
