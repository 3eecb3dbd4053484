-- Nobody is found by these ids any more: who writes with them is a new user, and may have the username.
with former as (
    delete from former_ids where user_id = $1
)
update users set external_id = null, phone = null, username = 'erased_' || id, display_name = '' where id = $1
