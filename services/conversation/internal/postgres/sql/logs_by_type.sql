select l.id from webhook_logs l
where l.event_type = $7 and l.platform = any ($1::text[]) and (l.create_time, l.id) < ($2::timestamptz, $3::uuid) and l.create_time >= $4
  and ($5 = '' or (select true from webhook_events e where e.log_id = l.id and e.outcome = $5 limit 1))
order by l.create_time desc, l.id desc
limit $6
