select external_id from former_ids where user_id = $1 order by external_id
