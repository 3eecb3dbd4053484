-- The files that customers send: where each is kept, what was heard in it, and the queue of those that are to be fetched.

alter table messages
    -- the file's id in the store of channels, and its size there
    add column media_id    text   not null default '',
    add column media_size  bigint not null default 0,
    -- why it cannot be had
    add column media_error text   not null default '',
    -- null as long as nobody has listened
    add column transcript  text;

-- Files on their way from the provider, which forgets them, into the store of channels.
create table media_fetches (
    message_id     uuid        primary key references messages (id) on delete cascade,
    integration_id text        not null,
    due_at         timestamptz not null default now(),
    failures       int         not null default 0,
    lease_token    uuid,
    lease_until    timestamptz
);
create index media_fetches_due on media_fetches (integration_id, due_at);

---- create above / drop below ----

drop table media_fetches;
alter table messages drop column transcript, drop column media_error, drop column media_size, drop column media_id;
