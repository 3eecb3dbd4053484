-- What waits again is answered after the message that is on its way: that one does not answer it.
update turns t set first_position = least(t.first_position, $2), seq = c.last_position
from conversations c
where t.conversation_id = $1 and c.id = t.conversation_id
