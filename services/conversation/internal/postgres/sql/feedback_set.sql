-- A reaction is about an answer of this conversation or of an earlier one with the same customer: the last 20 are looked at. A
-- reaction that is older than the one that counts changes nothing.
update messages m
set feedback = said.feedback, feedback_time = said.at
from unnest($1::text[], $2::text[], $3::smallint[], $4::timestamptz[]) as said (conversation_id, platform_message_id, feedback, at)
join conversations here on here.id = said.conversation_id::uuid
cross join lateral (
    select c.id from conversations c
    where c.user_id = here.user_id and c.integration_id = here.integration_id and c.scope = here.scope
    order by c.create_time desc, c.id desc
    limit 20
) as talk
cross join lateral (
    select r.id from messages r
    where r.conversation_id = talk.id and r.platform_message_id = said.platform_message_id and r.platform_message_id <> ''
    union all
    select p.message_id from message_parts p
    where p.conversation_id = talk.id and p.platform_message_id = said.platform_message_id
) as meant
where m.id = meant.id and m.role = 'assistant' and m.basis is not null and coalesce(m.feedback_time <= said.at, true)
