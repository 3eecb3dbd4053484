-- The traces of the turns that decided these answers, as far as they were traced.
select request_id, traceparent from messages where request_id = any($1::uuid[]) and traceparent is not null
