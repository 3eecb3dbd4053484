-- Knowledge bases, each a tenant of the index. A deleted one stays as a tombstone until its tenant is gone too.
create table knowledge_bases (
    id            uuid primary key default gen_random_uuid(),
    name          text not null,
    display_name  text not null,
    passage_count bigint not null default 0 check (passage_count >= 0),
    create_time   timestamptz not null default now(),
    delete_time   timestamptz
);

create unique index knowledge_bases_name on knowledge_bases (name) where delete_time is null;

insert into knowledge_bases (name, display_name) values ('default', 'default');

-- Contents. A pending one is being indexed, an active one is some document's current one, a dead one may still stand in
-- the index and is removed from there before its row goes.
create table versions (
    id                uuid primary key,
    knowledge_base_id uuid not null references knowledge_bases on delete cascade,
    state             text not null check (state in ('pending', 'active', 'dead')),
    hash              bytea not null,
    content           bytea not null,
    -- How passages were cut and analysed.
    recipe            text not null,
    create_time       timestamptz not null default now()
);

create index versions_not_active on versions (create_time) where state <> 'active';
create index versions_knowledge_base on versions (knowledge_base_id);

create table documents (
    id                uuid primary key default gen_random_uuid(),
    knowledge_base_id uuid not null references knowledge_bases on delete cascade,
    name              text not null,
    title             text not null,
    source_uri        text not null,
    content_type      text not null,
    version_id        uuid not null unique references versions deferrable initially deferred,
    version           integer not null,
    passage_count     integer not null,
    create_time       timestamptz not null default now(),
    update_time       timestamptz not null default now(),
    unique (knowledge_base_id, name)
);

create table passages (
    id           uuid primary key,
    version_id   uuid not null references versions on delete cascade,
    ordinal      integer not null,
    heading_path text[] not null,
    text         text not null,
    -- The different stems of title, headings and text.
    stems        text[] not null,
    unique (version_id, ordinal)
);

-- In how many passages of active versions a stem stands: what makes a word of a question weigh much or little.
create table stem_counts (
    knowledge_base_id uuid not null references knowledge_bases on delete cascade,
    stem              text not null,
    passages          bigint not null check (passages >= 0),
    primary key (knowledge_base_id, stem)
);
