insert into media_fetches (message_id, integration_id)
select message_id::uuid, integration_id from unnest($1::text[], $2::text[]) as came (message_id, integration_id)
