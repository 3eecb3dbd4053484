-- A batch at a time: a long transaction would hold vacuum back.
delete from inbound_keys
where ctid = any (array(
    select ctid from inbound_keys
    where received_time < now() - $1 * interval '1 second'
    limit $2))
