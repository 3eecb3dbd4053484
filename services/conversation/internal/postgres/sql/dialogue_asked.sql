-- How much each has asked in the last hour and the last 24, and whether they were told in that hour that it was too much.
select m.user_id, (count(*) filter (where m.sentence <> 'limit' and m.create_time > now() - interval '1 hour'))::int,
       (count(*) filter (where m.sentence <> 'limit'))::int,
       coalesce(bool_or(m.sentence = 'limit' and m.create_time > now() - interval '1 hour'), false)
from messages m
where m.conversation_id = $1 and m.position < $2 and m.position >= $2 - $3::bigint and m.role = 'customer' and m.user_id is not null
  and m.state in ('answered', 'dead') and m.create_time > now() - interval '24 hours'
group by m.user_id
