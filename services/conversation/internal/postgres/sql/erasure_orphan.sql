-- A group is nobody's.
update conversations set user_id = null where user_id = $1 and is_group
