-- An index has the terms of one version of the analyser. Those that there are were made by version 2.
alter table knowledge_bases
    add column index_analyzer text not null default '2',
    -- That of the one that is being made.
    add column next_analyzer  text not null default '';

alter table index_garbage add column analyzer text not null default '2';

-- How indexes shall be made: as the program started last makes them. It takes the place of embedding, which stays for programs of
-- the version before that still serve.
create table index_spec (
    only_row boolean primary key default true check (only_row),
    analyzer text not null,
    model    text not null
);
insert into index_spec (analyzer, model) select '2', model from embedding;

---- create above / drop below ----

drop table index_spec;
alter table index_garbage drop column analyzer;
alter table knowledge_bases drop column index_analyzer, drop column next_analyzer;
