-- A batch at a time: a long transaction would hold vacuum back.
delete from subscription_deliveries
where ctid = any (array(
    select ctid from subscription_deliveries
    where create_time < now() - $1 * interval '1 second'
    limit $2))
