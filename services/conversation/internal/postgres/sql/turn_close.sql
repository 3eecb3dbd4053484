-- Nothing came in meanwhile, and staff wrote nothing that is to go out.
delete from turns
where conversation_id = $1 and seq <= $2
  and not exists (select from messages where conversation_id = $1 and purpose = 'staff' and state = 'sending')
