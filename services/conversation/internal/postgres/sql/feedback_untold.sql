-- What rag does not know yet.
select m.id, m.request_id, coalesce(m.basis->>'knowledge_base', ''), m.basis->'documents', m.feedback
from messages m
where m.feedback <> m.feedback_told
order by m.id
limit $1
