-- Whether another message of ours is on its way in the conversation.
select answer_id is not null from turns where conversation_id = $1 for update
