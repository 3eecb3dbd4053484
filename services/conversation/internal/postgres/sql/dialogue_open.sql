select m.id, m.position, coalesce(m.user_id::text, '') as user_id, m.text, m.sentence, m.language, m.platform_message_id,
       coalesce(m.details->>'album', '') as album,
       coalesce(nullif(m.details->>'quoted', ''), quoted.text, '') as quoted, m.details->'referral' as referral,
       m.kind, m.details->'media' as media, m.media_id, m.media_size, m.media_error, m.transcript,
       coalesce((m.details->>'chosen')::bool, false) as chosen,
       case when coalesce(m.details->>'quoted', '') = '' then quoted.passages end as passages,
       coalesce(m.traceparent, '') as traceparent
from messages m
left join lateral (
    select said.text, said.passages
    from (
        select r.text, r.role, r.basis->'passages' as passages from messages r
        where r.conversation_id = m.conversation_id and r.platform_message_id = m.details->>'reply_to'
          and r.platform_message_id <> '' and r.kind not in ('edit', 'deletion') and not r.deleted
        union all
        select r.text, r.role, r.basis->'passages' from message_parts p join messages r on r.id = p.message_id
        where p.conversation_id = m.conversation_id and p.platform_message_id = m.details->>'reply_to'
    ) as said
    -- a press on a button of ours bears the id of our message
    order by said.role <> 'assistant'
    limit 1
) as quoted on m.details->>'reply_to' is not null
where m.conversation_id = $1 and m.position between $2 and $3 and m.state = 'open'
  -- who is to be erased is not answered any more
  and not exists (select from erasures e where e.user_id = m.user_id)
order by m.position
limit $4
