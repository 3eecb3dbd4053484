-- The last messages that were said and heard: not dead, not held, not failed. Staff's count. Beyond 500 positions nobody
-- looks back, or a conversation full of reactions would make this scan it all.
select m.role, left(case when m.transcript <> '' then concat_ws(e'\n', nullif(m.text, ''), m.transcript) else m.text end, $4),
       m.basis->'passages'
from messages m
where m.conversation_id = $1 and m.position > $2 - 500 and (m.text <> '' or m.transcript <> '') and not m.deleted
  and (m.state in ('answered', 'sent')
       or m.role = 'staff' and m.state = 'recorded' and m.kind not in ('edit', 'deletion', 'reaction', 'system'))
  and coalesce(m.purpose, 'reply') in ('reply', 'staff')
order by m.position desc
limit $3
