select m.id, m.position, m.role, m.kind, m.text, m.state, m.platform_message_id, m.create_time, m.delivery_state, m.maybe_duplicate,
       case when m.role = 'assistant' then m.reply_to else coalesce(m.details->>'reply_to', '') end as reply_to,
       coalesce(nullif(m.details->>'quoted', ''), quoted.text, '') as quoted,
       case when m.request_id is not null then m.error else '' end as error,
       m.details->'media' as media, m.media_id, m.media_size, m.media_error, coalesce(m.transcript, '') as transcript,
       m.basis, m.feedback
from messages m
left join lateral (
    select said.text
    from (
        select r.text, r.role from messages r
        where r.conversation_id = m.conversation_id
          and r.platform_message_id = coalesce(nullif(m.reply_to, ''), m.details->>'reply_to')
          and r.platform_message_id <> '' and r.kind not in ('edit', 'deletion') and not r.deleted
        union all
        select r.text, r.role from message_parts p join messages r on r.id = p.message_id
        where p.conversation_id = m.conversation_id and p.platform_message_id = coalesce(nullif(m.reply_to, ''), m.details->>'reply_to')
    ) as said
    order by said.role <> 'assistant'
    limit 1
) as quoted on coalesce(nullif(m.reply_to, ''), m.details->>'reply_to') is not null
where m.conversation_id = $1 and m.position > $2
order by m.position
limit $3
