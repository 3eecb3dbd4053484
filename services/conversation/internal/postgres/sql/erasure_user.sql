-- Who is to be erased, with all that they were known by.
select u.integration_id, u.platform, u.username, array_remove(array[u.external_id], null) || array(select f.external_id from former_ids f where f.user_id = u.id),
       array_remove(array[u.phone], null)
from users u
where u.id = $1
for update of u
