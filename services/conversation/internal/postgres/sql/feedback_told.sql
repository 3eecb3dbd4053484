update messages set feedback_told = $2 where id = $1
