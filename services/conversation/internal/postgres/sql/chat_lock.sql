-- Conversations before turns, and in order. Business chats are the owner's, whatever becomes of the bot's own chat.
select id from conversations where integration_id = $1 and chat_id = $2 and business_connection_id = '' order by id for update
