-- Where knowledge bases fall short: what was asked in vain, and what customers thought of answers.

alter table knowledge_bases
    -- from which coverage on it answers; null for the service's own
    add column answer_threshold double precision check (answer_threshold between 0 and 1);

create table unanswered_questions (
    id                uuid        primary key default gen_random_uuid(),
    knowledge_base_id uuid        not null references knowledge_bases on delete cascade,
    -- SHA-256 of its stems: the same question, give or take capitals, accents, endings and order
    key               bytea       not null,
    -- as asked last, without long numbers and addresses
    question          text        not null,
    language          text        not null,
    asked             bigint      not null default 1,
    dismissed         boolean     not null default false,
    last_time         timestamptz not null default now(),
    unique (knowledge_base_id, key)
);
create index unanswered_questions_oldest on unanswered_questions (last_time);

-- What a customer thought of an answer, by the caller's name for it.
create table feedback (
    knowledge_base_id uuid        not null references knowledge_bases on delete cascade,
    request_id        text        not null,
    document_ids      uuid[]      not null,
    positive          boolean     not null,
    update_time       timestamptz not null default now(),
    primary key (knowledge_base_id, request_id)
);
create index feedback_oldest on feedback (update_time);

---- create above / drop below ----

drop table feedback, unanswered_questions;
alter table knowledge_bases drop column answer_threshold;
