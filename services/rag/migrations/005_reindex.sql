-- A knowledge base can have an index made beside the one that answers. Generations count them.
alter table knowledge_bases
    add column index_generation integer not null default 0,
    -- The one that is being made, null for none.
    add column next_generation  integer;

-- Which versions the one that is being made holds.
create table index_fills (
    version_id uuid not null references versions on delete cascade,
    generation integer not null,
    primary key (version_id, generation)
);

-- Tenants that are searched no more. They go some time later, when no search can be under way in them.
create table index_garbage (
    tenant      text primary key,
    create_time timestamptz not null default now()
);

---- create above / drop below ----

drop table index_garbage;
drop table index_fills;
alter table knowledge_bases drop column index_generation, drop column next_generation;
