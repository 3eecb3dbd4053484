-- The decision to send: from here on this message goes out, whatever arrives.
with numbered as (
    update conversations
    set last_position = last_position + 1, last_message_time = now(),
        last_outcome = coalesce($10::jsonb->>'outcome', last_outcome),
        input_tokens = input_tokens + coalesce(($10::jsonb->>'input_tokens')::bigint, 0),
        output_tokens = output_tokens + coalesce(($10::jsonb->>'output_tokens')::bigint, 0),
        cost_micros = cost_micros + coalesce(($10::jsonb->>'cost_micros')::bigint, 0)
    where id = $1
    returning last_position
), decided as (
    insert into messages (id, conversation_id, position, role, kind, text, state, purpose, request_id, reply_to, template, language,
                          through_position, basis, buttons, traceparent)
    select $2, $1, numbered.last_position, 'assistant', 'text', $3, 'sending', $4, $5, $6, $7, $8, $9, $10, $11, nullif($12, '')
    from numbered
)
update turns set answer_id = $2, attempt = case when $4 = 'reply' then attempt else 0 end where conversation_id = $1
