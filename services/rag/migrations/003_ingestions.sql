-- Uploads on their way to being documents. A worker holds one by a lease; who shows another token changes nothing.
create table ingestions (
    id                uuid primary key default gen_random_uuid(),
    knowledge_base_id uuid not null references knowledge_bases on delete cascade,
    document_name     text not null,
    title             text not null,
    source_uri        text not null,
    content_type      text not null,
    audience          text not null,
    trust             text not null,
    hash              bytea not null,
    -- Null once it has ended.
    content           bytea,
    state             text not null
        check (state in ('queued', 'reading', 'indexing', 'done', 'failed', 'superseded')),
    passages_done     integer not null default 0,
    passages_total    integer not null default 0,
    document_id       uuid,
    unchanged         boolean not null default false,
    reason            text not null default '',
    message           text not null default '',
    attempts          integer not null default 0,
    -- Begun since an outcome was last recorded: what ends the program every time is not begun for ever.
    crashes           integer not null default 0,
    due_time          timestamptz not null default now(),
    lease_token       uuid,
    lease_time        timestamptz,
    create_time       timestamptz not null default clock_timestamp(),
    update_time       timestamptz not null default clock_timestamp()
);

-- One at a time for each document.
create unique index ingestions_open on ingestions (knowledge_base_id, document_name)
    where state in ('queued', 'reading', 'indexing');
create index ingestions_due on ingestions (due_time) where state in ('queued', 'reading', 'indexing');
create index ingestions_newest on ingestions (knowledge_base_id, create_time, id);
create index ingestions_ended on ingestions (update_time) where state in ('done', 'failed', 'superseded');

---- create above / drop below ----

drop table ingestions;
