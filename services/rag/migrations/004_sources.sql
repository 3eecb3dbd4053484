-- Web addresses that documents come from. A worker holds one by a lease while it refreshes it.
create table sources (
    id                uuid primary key default gen_random_uuid(),
    knowledge_base_id uuid not null references knowledge_bases on delete cascade,
    url               text not null,
    kind              text not null check (kind in ('page', 'sitemap')),
    audience          text not null,
    trust             text not null,
    refresh_interval  interval not null,
    due_time          timestamptz not null default now(),
    -- When the refresh under way was begun, also one that was broken off; null for none.
    start_time        timestamptz,
    refresh_time      timestamptz,
    reason            text not null default '',
    message           text not null default '',
    lease_token       uuid,
    lease_time        timestamptz,
    create_time       timestamptz not null default now(),
    unique (knowledge_base_id, url)
);

create index sources_due on sources (due_time);

create table source_pages (
    source_id     uuid not null references sources on delete cascade,
    url           text not null,
    document_name text not null,
    etag          text not null,
    last_modified text not null,
    reason        text not null default '',
    message       text not null default '',
    fetch_time    timestamptz not null default clock_timestamp(),
    primary key (source_id, url)
);

create index source_pages_document on source_pages (document_name);

---- create above / drop below ----

drop table source_pages;
drop table sources;
