-- The messages that edits and deletions name, and whether each still waits: not once an answer to it is decided.
select distinct on (wanted.conversation_id, wanted.platform_message_id, wanted.role)
       m.id, wanted.conversation_id, wanted.platform_message_id, wanted.role, m.kind, m.text, m.sentence, m.deleted,
       m.state = 'open' and m.position > case when a.purpose = 'reply' then a.through_position else 0 end as waits
from unnest($1::text[], $2::text[], $3::text[]) as wanted (conversation_id, platform_message_id, role)
join messages m on m.conversation_id = wanted.conversation_id::uuid and m.platform_message_id = wanted.platform_message_id
    and m.platform_message_id <> '' and m.role = wanted.role and m.kind not in ('edit', 'deletion')
left join turns t on t.conversation_id = m.conversation_id
left join messages a on a.id = t.answer_id
order by wanted.conversation_id, wanted.platform_message_id, wanted.role, m.position
