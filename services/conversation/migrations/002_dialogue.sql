-- Who writes, what was said, and the mailbox of conversations that wait for an answer.

create table users (
    id             uuid        primary key default gen_random_uuid(),
    integration_id text        not null,
    platform       text        not null,
    username       text        not null unique,
    role           text        not null default 'customer',
    display_name   text        not null default '',
    external_id    text,
    phone          text,
    blocked        boolean     not null default false,
    last_seen_time timestamptz not null default now(),
    create_time    timestamptz not null default now()
);
create unique index users_external_id on users (integration_id, external_id) where external_id is not null;
create unique index users_phone on users (integration_id, phone) where phone is not null;
create index users_newest on users (create_time desc, id desc);

create table conversations (
    id                     uuid        primary key default gen_random_uuid(),
    integration_id         text        not null,
    -- 'user/<id>' in private, else 'chat/<chat>/<thread>/<business connection>'
    scope                  text        not null,
    user_id                uuid        references users (id),
    platform               text        not null,
    platform_user_id       text        not null,
    created_via            text        not null,
    is_group               boolean     not null default false,
    chat_id                bigint,
    thread_id              bigint      not null default 0,
    business_connection_id text        not null default '',
    rag_enabled            boolean     not null,
    passages               int         not null,
    -- numbers the messages and never restarts
    last_position          bigint      not null default 0,
    -- by the provider's clock: WhatsApp's window is counted from here
    last_customer_time     timestamptz,
    last_message_time      timestamptz not null default now(),
    -- the first of the messages whose answer is held until the customer writes again
    held_from              bigint,
    -- the last_customer_time for which a template was sent: one per window
    invited_for            timestamptz,
    create_time            timestamptz not null default now(),
    closed_time            timestamptz
) with (fillfactor = 70);
create unique index conversations_active on conversations (integration_id, scope) where closed_time is null;
create index conversations_newest on conversations (create_time desc, id desc);
create index conversations_user on conversations (user_id, create_time desc, id desc);

create table messages (
    id                  uuid        primary key,
    conversation_id     uuid        not null references conversations (id),
    position            bigint      not null,
    role                text        not null,
    kind                text        not null,
    text                text        not null,
    state               text        not null,
    user_id             uuid,
    platform_message_id text        not null default '',
    -- for a customer's: what of ours answers it without asking, and in which language
    sentence            text        not null default '',
    language            text        not null default '',
    occur_time          timestamptz,
    details             jsonb,
    -- for a customer's: the message of ours that answers it
    answer_id           uuid,
    -- for ours
    purpose             text,
    request_id          uuid,
    reply_to            text        not null default '',
    template            text        not null default '',
    through_position    bigint,
    delivery_state      smallint    not null default 0,
    maybe_duplicate     boolean     not null default false,
    error               text        not null default '',
    create_time         timestamptz not null default now(),
    unique (conversation_id, position)
);
create unique index messages_request on messages (request_id) where request_id is not null;

-- One row per conversation that has work. Rows come, change and go all the time: room for updates in place, and vacuum early.
create table turns (
    conversation_id uuid        primary key references conversations (id),
    integration_id  text        not null,
    -- positions of the first and the last message that wait
    first_position  bigint      not null,
    seq             bigint      not null,
    opened_at       timestamptz not null default now(),
    due_at          timestamptz not null,
    attempt         int         not null default 0,
    crashes         int         not null default 0,
    discards        int         not null default 0,
    last_error      text        not null default '',
    -- the answer that is decided and not yet settled
    answer_id       uuid,
    lease_token     uuid,
    lease_until     timestamptz
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);
create index turns_due on turns (integration_id, due_at);

-- What providers say of our messages, on its way to channels.
create table delivery_reports (
    id               bigint generated always as identity primary key,
    integration_id   text     not null,
    log_id           uuid     not null,
    ordinal          int      not null,
    message_id       text     not null,
    state            smallint not null,
    echo             text     not null,
    error_code       int      not null,
    error_message    text     not null,
    pricing_category text     not null,
    billable         boolean  not null
);
create index delivery_reports_order on delivery_reports (integration_id, id);

-- Who hands the reports of an integration on, one at a time, so that they stay in order.
create table report_leases (
    integration_id text        primary key,
    lease_token    uuid        not null,
    lease_until    timestamptz not null,
    failures       int         not null default 0
);

---- create above / drop below ----

drop table report_leases, delivery_reports, turns, messages, conversations, users;
