select last_position from conversations where id = $1 for update
