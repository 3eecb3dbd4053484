-- The supergroup may have a conversation already: then the group's ends here.
update conversations old set closed_time = now()
where old.integration_id = $1 and old.chat_id = $2 and old.closed_time is null
  and exists (select from conversations new
              where new.integration_id = $1 and new.closed_time is null
                and new.scope = 'chat/' || $3::bigint || '/' || old.thread_id || '/' || old.business_connection_id)
