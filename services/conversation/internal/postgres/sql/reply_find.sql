-- What was asked for under this request before.
select position, conversation_id = $2::uuid and text = $3 and purpose = 'staff' from messages where request_id = $1
