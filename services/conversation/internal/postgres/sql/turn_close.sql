-- Nothing came in meanwhile.
delete from turns where conversation_id = $1 and seq <= $2
