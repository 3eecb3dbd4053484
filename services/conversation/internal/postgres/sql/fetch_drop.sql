-- The file was fetched by the turn, which could not wait for the queue.
delete from media_fetches where message_id = $1
