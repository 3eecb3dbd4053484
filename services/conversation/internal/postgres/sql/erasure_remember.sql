-- Reports on these messages may still come, each with the customer's number. Hashes tell them.
insert into erased_messages (integration_id, message_sha256)
select $1, sha256(convert_to(gone.id, 'UTF8'))
from (select unnest($2::text[]) as id
      union
      select platform_message_id from message_parts where conversation_id = any ($3::text[]::uuid[]) and message_id = any ($4::text[]::uuid[])) as gone
order by 2
on conflict (integration_id, message_sha256) do nothing
