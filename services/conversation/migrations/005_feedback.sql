-- What an answer rests on, the buttons under it, and what the customer thought of it.

alter table messages
    -- for an answer that somebody was asked for: how it came about
    add column basis         jsonb,
    -- the buttons under it: their labels, and what a press asks
    add column buttons       jsonb,
    -- 1 liked, -1 not, by the customer's reaction and its time; told is what rag knows of it
    add column feedback      smallint not null default 0,
    add column feedback_time timestamptz,
    add column feedback_told smallint not null default 0;
-- What rag is still to be told, which is next to nothing at any time.
create index messages_feedback on messages (id) where feedback <> feedback_told;

---- create above / drop below ----

drop index messages_feedback;
alter table messages drop column feedback_told, drop column feedback_time, drop column feedback, drop column buttons, drop column basis;
