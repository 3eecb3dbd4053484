-- What is held may have been settled meanwhile.
update conversations c
set held_from = (select min(m.position) from messages m
                 where m.conversation_id = c.id and m.position >= c.held_from and m.state = 'open')
where c.id = any ($1::text[]::uuid[]) and c.held_from is not null
