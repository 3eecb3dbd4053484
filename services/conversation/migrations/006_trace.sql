-- Where a trace goes on behind a queue: the W3C traceparent of the webhook that brought a message or a report, and of the turn
-- that decided an answer. Null where nobody traces.

alter table messages add column traceparent text;
alter table delivery_reports add column traceparent text;

---- create above / drop below ----

alter table delivery_reports drop column traceparent;
alter table messages drop column traceparent;
