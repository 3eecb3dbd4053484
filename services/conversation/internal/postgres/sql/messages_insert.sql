insert into messages (
    id, conversation_id, position, role, kind, text, state, user_id, platform_message_id, sentence, language, occur_time, details,
    traceparent)
select id::uuid, conversation_id::uuid, position, role, kind, text, state, nullif(user_id, '')::uuid, platform_message_id,
       sentence, language, occur_time, details, nullif(traceparent, '')
from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
            $10::text[], $11::text[], $12::timestamptz[], $13::jsonb[], $14::text[])
    as said (id, conversation_id, position, role, kind, text, state, user_id, platform_message_id, sentence, language,
             occur_time, details, traceparent)
