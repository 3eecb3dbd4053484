select coalesce(bot_paused_until > now(), false) from conversations where id = $1 for update
